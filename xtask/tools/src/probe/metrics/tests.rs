//! The text format by example, and by round trips of generated samples.

use proptest::prelude::*;

use super::*;

const EXAMPLE: &str = r#"# HELP http_requests_total Requests answered, with \\ and \n inside.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200",} 1027 1395066363000
http_requests_total{ method = "get" , path="C:\\DIR\\FILE.TXT\n\"x\"" } 3

# any other comment
  spaced_gauge 	 -Inf
not_a_number NaN
# TYPE took_seconds histogram
took_seconds_bucket{le="0.05"} 24054
took_seconds_bucket{le="+Inf"} 1.5e-3
took_seconds_sum 53423
took_seconds_count 144320
odd_count{} 1"#;

#[test]
fn the_format_s_own_features_are_read() {
    let found = parse(EXAMPLE).expect("right");
    assert_eq!(found.samples.len(), 9);
    assert_eq!(found.kinds["http_requests_total"], Kind::Counter);
    assert_eq!((found.samples[0].value, found.samples[0].timestamp), (1027.0, Some(1_395_066_363_000)));
    assert_eq!(found.samples[1].labels["path"], "C:\\DIR\\FILE.TXT\n\"x\"");
    assert_eq!(found.samples[2].value, f64::NEG_INFINITY);
    assert!(found.samples[3].value.is_nan());
    assert_eq!(parse("").expect("empty is right"), Exposition::default());
}

#[test]
fn a_histogram_s_name_stands_for_its_parts() {
    let found = parse(EXAMPLE).expect("right");
    for name in ["took_seconds", "took_seconds_bucket", "took_seconds_sum", "odd_count", "not_a_number"] {
        assert!(found.has(name), "{name}");
    }
    for name in ["odd", "took", "http_requests", "", "took_seconds_quantile"] {
        assert!(!found.has(name), "{name}");
    }
    assert!(!parse("# TYPE alone histogram\n").expect("right").has("alone"), "a type without a sample is no metric");
}

#[test]
fn the_wrong_line_is_told() {
    for (text, told) in [
        ("a 1\n<html>\n", "line 2: no metric name in `<html>`"),
        ("a\n", "line 1: no value in `a`"),
        ("a one", "line 1: `one` is no number in `a one`"),
        ("a 1 2 3", "line 1: `3` is too much in `a 1 2 3`"),
        ("a 1 soon", "line 1: `soon` is no timestamp in `a 1 soon`"),
        ("1a 1", "line 1: no metric name in `1a 1`"),
        ("a{b=\"c} 1", "line 1: no closing `\"` in `a{b=\"c} 1`"),
        ("a{b=c} 1", "line 1: no `\"` in `a{b=c} 1`"),
        ("a{b:c=\"\"} 1", "line 1: no `=` in `a{b:c=\"\"} 1`"),
        ("a{b=\"\" c=\"\"} 1", "line 1: no `}` in `a{b=\"\" c=\"\"} 1`"),
        ("a{b=\"\\t\"} 1", "line 1: an unknown escape in `a{b=\"\\t\"} 1`"),
        ("a{b=\"\",b=\"\"} 1", "line 1: label `b` comes twice in `a{b=\"\",b=\"\"} 1`"),
        ("a 1\n\na 2", "line 3: `a` comes twice with the same labels in `a 2`"),
        ("# TYPE a meter", "line 1: unknown type `meter` in `# TYPE a meter`"),
        ("# TYPE a gauge\n# TYPE a gauge", "line 2: a second type for `a` in `# TYPE a gauge`"),
        ("a_sum 1\n# TYPE a summary", "line 2: the type of `a` comes after its first sample in `# TYPE a summary`"),
        ("a 1\r\n", "line 1: `1\r` is no number in `a 1`"),
    ] {
        let error = parse(text).expect_err(text).to_string();
        assert_eq!(error.replace('\r', ""), told.replace('\r', ""), "{text}");
    }
}

fn sample() -> impl Strategy<Value = Sample> {
    let labels = prop::collection::btree_map("[a-zA-Z_][a-zA-Z0-9_]{0,5}", ".*\n?\"?", 0..4);
    let value = any::<f64>().prop_filter("a NaN equals nothing", |value| !value.is_nan());
    ("[a-zA-Z_:][a-zA-Z0-9_:]{0,8}", labels, value, any::<Option<i64>>()).prop_map(|(name, labels, value, timestamp)| Sample {
        name,
        labels,
        value,
        timestamp,
    })
}

fn written(sample: &Sample) -> String {
    let escape = |text: &str| text.replace('\\', r"\\").replace('"', r#"\""#).replace('\n', r"\n");
    let labels: Vec<_> = sample.labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escape(value))).collect();
    let timestamp = sample.timestamp.map(|time| format!(" {time}")).unwrap_or_default();
    format!("{}{{{}}} {:?}{timestamp}\n", sample.name, labels.join(","), sample.value)
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(samples in prop::collection::vec(sample(), 0..6)) {
        let mut unique = BTreeSet::new();
        let samples: Vec<_> =
            samples.into_iter().filter(|one| unique.insert((one.name.clone(), one.labels.clone()))).collect();
        let text: String = samples.iter().map(written).collect();
        prop_assert_eq!(parse(&text).expect("right").samples, samples);
    }

    #[test]
    fn no_text_makes_it_panic(text in "[a-z{}=\",\\\\# \n0-9é]*") {
        if let Err(error) = parse(&text) {
            prop_assert!(error.line >= 1 && error.line <= text.split('\n').count());
        }
    }
}
