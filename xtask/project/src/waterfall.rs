//! A boot as the terminal shows it: bars, each from the moment a service was told to start to the moment it was up.

use std::time::Duration;

use super::launch::Booted;
use crate::context::Context;
use crate::stack::boot::{Phase, Times};

/// Shows the boot, a step.
pub fn show(ctx: &Context, booted: &Booted) {
    for (index, row) in rows(booted).iter().enumerate() {
        ctx.ui.step(if index == 0 { "boot" } else { "" }, row);
    }
}

/// Says of which services nothing but their process is known: they have no health check, and nothing else tells that they are well.
pub fn unchecked(ctx: &Context, booted: &Booted, otherwise: &dyn Fn(&str) -> bool) {
    let alone = |(name, phase, _): &&(String, Phase, Times)| *phase == Phase::Running && !otherwise(name);
    let names: Vec<String> = booted.services.iter().filter(alone).map(|(name, ..)| format!("`{name}`")).collect();
    if !names.is_empty() {
        ctx.ui.more(format!("nothing checks {}: that it has started is all that is known", names.join(", ")));
    }
}

/// A bar for each service that came up, in the order in which they were told to start.
fn rows(booted: &Booted) -> Vec<String> {
    const WIDTH: f64 = 30.0;
    let total = booted.took.as_secs_f64().max(0.001);
    let column = |at: Duration| ((at.as_secs_f64() / total * WIDTH).round() as usize).min(WIDTH as usize);
    let mut rows: Vec<_> =
        booted.services.iter().filter_map(|(name, phase, times)| Some((name, phase, times.told?, times.up?))).collect();
    rows.sort_by_key(|(name, _, told, up)| (*told, *up, (*name).clone()));
    let name_width = rows.iter().map(|(name, ..)| name.chars().count()).max().unwrap_or(0);
    let row = |(name, phase, told, up): &(&String, &Phase, Duration, Duration)| {
        let (from, to) = (column(*told), column(*up).max(column(*told) + 1));
        let bar = format!("{}{}", " ".repeat(from), "█".repeat(to - from));
        let state = if **phase == Phase::Done { " done" } else { "" };
        format!("{name:<name_width$}  {bar:<31} {:.1}s{state}", (*up - *told).as_secs_f64())
    };
    rows.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::stack::boot::{Floor, Times};

    #[test]
    fn the_waterfall_is_as_wide_as_the_boot() {
        let times =
            |told, up| Times { told: Some(Duration::from_millis(told)), started: None, up: Some(Duration::from_millis(up)) };
        let booted = Booted {
            services: vec![("web".into(), Phase::Healthy, times(500, 1000)), ("database".into(), Phase::Done, times(0, 500))],
            took: Duration::from_secs(1),
            floor: Floor::default(),
            began: UNIX_EPOCH,
        };
        assert_eq!(
            rows(&booted),
            [
                format!("database  {}{} 0.5s done", "█".repeat(15), " ".repeat(16)),
                format!("web       {}{}  0.5s", " ".repeat(15), "█".repeat(15)),
            ]
        );
    }
}
