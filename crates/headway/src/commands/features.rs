//! `headway features`: what readers get, from the process that holds the folder, or from the folder itself.

use std::time::Duration;

use serde_json::Value;

use super::asking::{Asking, unexpected};
use crate::{
    arguments::FeaturesGet,
    console::Console,
    failure::Failure,
    host::{
        control::{Answer, Request},
        reading::{GroupReading, Reading},
    },
    table::table,
};

/// How often a followed entity is read: faster than a person can.
const FOLLOW_EVERY: Duration = Duration::from_millis(200);

pub(super) fn get(arguments: &FeaturesGet, console: &Console) -> Result<(), Failure> {
    super::run::runtime(3)?.block_on(async {
        let mut asking = Asking::of(&arguments.folder).await?;
        let reading = read(&mut asking, arguments).await?;
        if arguments.watch {
            return follow(&mut asking, arguments, reading, console).await;
        }
        console.result(|| serde_json::to_value(&reading).unwrap_or_default(), || text(&reading))?;
        asking.close().await
    })
}

async fn read(asking: &mut Asking, arguments: &FeaturesGet) -> Result<Reading, Failure> {
    let (entity, key) = arguments.entity.clone();
    match asking.ask(Request::Read { pipeline: arguments.pipeline.clone(), entity, key }).await? {
        Answer::Reading(reading) => Ok(reading),
        other => Err(unexpected(&other)),
    }
}

/// A line for each value that changes.
async fn follow(asking: &mut Asking, arguments: &FeaturesGet, first: Reading, console: &Console) -> Result<(), Failure> {
    console.line(text(&first).trim_end())?;
    let mut last = first;
    loop {
        tokio::time::sleep(FOLLOW_EVERY).await;
        let reading = read(asking, arguments).await?;
        for group in &reading.groups {
            let before = last.groups.iter().find(|before| before.group == group.group);
            for (place, (name, value)) in group.features.iter().enumerate() {
                let was = before.and_then(|before| before.features.get(place)).map(|(_, value)| value);
                if was != Some(value) {
                    console.line(&format!(
                        "{}  {name}: {} -> {}",
                        reading.now,
                        was.map_or("none".to_owned(), shown),
                        shown(value)
                    ))?;
                }
            }
        }
        last = reading;
    }
}

fn text(reading: &Reading) -> String {
    let mut text = format!("{}:{} at {}\n", reading.entity, reading.key, reading.now);
    for group in &reading.groups {
        text.push_str(&format!("\n{}\n", heading(group)));
        let rows = group.features.iter().map(|(name, value)| vec![format!("  {name}"), shown(value)]);
        text.push_str(&table(&["", ""], &rows.collect::<Vec<Vec<String>>>()));
    }
    text
}

fn heading(group: &GroupReading) -> String {
    let holds = group.valid_until.as_ref().map_or("until something comes".to_owned(), |until| format!("until {until}"));
    let heard = group.source_seen_at.as_ref().map_or(String::new(), |at| format!(", source heard at {at}"));
    let silent = if group.source_silent { ", SOURCE SILENT: time stands still" } else { "" };
    let outdated = if group.outdated { ", OUTDATED" } else { "" };
    format!("{}: {:.1} s old, holds {holds}{heard}{silent}{outdated}", group.group, group.age_seconds)
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Number(number) if number.is_f64() => format!("{:.3}", number.as_f64().unwrap_or_default()),
        other => other.to_string(),
    }
}
