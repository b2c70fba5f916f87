//! The face for a job's summary: what has to be seen at once, and the details folded away.

use super::table::signed;
use crate::report::markdown::{table, text};
use crate::stack::Bytes;
use ::image::report::{Measured, Report};

/// How many rows a folded table has at most.
const ROWS: usize = 20;

/// The document.
pub fn render(report: &Report) -> String {
    let headings = ["image", "size", "budget", "own", "base", "wasted", "growth", "findings"];
    let details: String = report.images.iter().map(details).collect();
    format!("### Image sizes\n\n{}\n{details}", table(&headings, report.images.iter().map(row)))
}

fn row(image: &Measured) -> Vec<String> {
    let bytes = |bytes: u64| Bytes(bytes).to_string();
    let budget = match image.budget_bytes {
        Some(budget) if image.over_bytes > 0 => format!("{} over {}", bytes(image.over_bytes), bytes(budget)),
        Some(budget) => bytes(budget),
        None => "none".to_owned(),
    };
    let growth = image.growth.as_ref().map_or("not compared".to_owned(), |growth| {
        format!("{} ({} %) since {}", signed(growth.bytes), growth.percent, growth.baseline)
    });
    vec![
        image.service.clone().unwrap_or_else(|| image.reference.clone()),
        bytes(image.content_bytes),
        budget,
        bytes(image.own_bytes),
        bytes(image.base_bytes),
        bytes(image.wasted_bytes),
        growth,
        image.findings.len().to_string(),
    ]
}

fn details(image: &Measured) -> String {
    let bytes = |bytes: u64| Bytes(bytes).to_string();
    let steps = image.instructions.iter().filter(|step| step.bytes > 0);
    let steps = steps.map(|step| {
        let place = step.dockerfile.iter().zip(step.line).map(|(file, line)| format!("{file}:{line}")).collect();
        vec![bytes(step.bytes), step.instruction.clone(), place]
    });
    let files = image.largest.iter().map(|file| vec![bytes(file.bytes), file.path.clone()]);
    let findings =
        image.findings.iter().map(|one| vec![one.rule.clone(), one.path.clone(), one.message.clone(), one.fix.clone()]);
    let grown = image.growth.iter().flat_map(|growth| &growth.paths);
    let grown = grown.map(|path| vec![path.path.clone(), bytes(path.before), bytes(path.after)]);
    let parts = [
        part("Instructions", &["bytes", "instruction", "line"], steps.collect()),
        part("Largest files", &["bytes", "path"], files.collect()),
        part("Findings", &["rule", "path", "what", "what to do"], findings.collect()),
        part("Growth", &["path", "before", "after"], grown.collect()),
    ];
    let name = text(image.service.as_ref().unwrap_or(&image.reference));
    format!("\n<details><summary>{name}</summary>\n{}\n</details>\n", parts.concat())
}

fn part(what: &str, headings: &[&str], rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let left_out = if rows.len() > ROWS { format!(" ({ROWS} of {})", rows.len()) } else { String::new() };
    format!("\n**{what}**{left_out}\n\n{}", table(headings, rows.into_iter().take(ROWS)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::image::report::FileFigures;

    #[test]
    fn the_summary_begins_with_a_row_for_each_image() {
        let largest = vec![FileFigures { path: "/a|b".to_owned(), bytes: 7, layer: 0 }];
        let image = Measured {
            reference: "a:1".into(),
            content_bytes: 7,
            budget_bytes: Some(5),
            over_bytes: 2,
            largest,
            ..Measured::default()
        };
        let document = render(&Report { images: vec![image] });
        assert!(document.contains("| a:1 | 7 B | 2 B over 5 B | 0 B | 0 B | 0 B | not compared | 0 |\n"), "{document}");
        assert!(document.contains("| 7 B | /a\\|b |\n"), "{document}");
    }
}
