//! `headway new`: a first pipeline for events that nobody has described yet.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use serde_json::{Value, json};
use workbench::{Draft, FoundField, draft};

use crate::{
    arguments::New,
    console::Console,
    failure::Failure,
    table::{grouped, table},
};

/// The file that stands for standard input.
const STANDARD_INPUT: &str = "-";
/// The spec's name in its folder.
const SPEC_FILE: &str = "pipeline.toml";
/// Longer declarations are read in the spec.
const TAKEN_FOR_MAX: usize = 60;

pub(super) fn run(arguments: &New, console: &Console) -> Result<(), Failure> {
    let folder = arguments.folder.join(&arguments.name);
    // Before the events are read: standard input cannot be given twice.
    if folder.exists() {
        let folder = folder.display();
        return Err(Failure::failed(format!("{folder} is there already and is not overwritten; choose another name")));
    }
    let drafted = draft(&arguments.name, &arguments.from, open(&arguments.from)?)?;
    write(&folder.join(SPEC_FILE), &drafted.pipeline_toml)?;
    for (name, content) in &drafted.cases {
        write(&folder.join(name), content)?;
    }
    console.result(|| object(&folder, &drafted), || text(&folder, arguments, &drafted, console))?;
    Ok(())
}

fn open(from: &Path) -> Result<Box<dyn Read>, Failure> {
    if from.as_os_str() == STANDARD_INPUT {
        return Ok(Box::new(io::stdin().lock()));
    }
    Ok(Box::new(File::open(from).map_err(|error| Failure::reading(from, &error))?))
}

fn write(path: &Path, content: &str) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).and_then(|()| fs::write(path, content)).map_err(|error| Failure::writing(path, &error))
}

fn object(folder: &Path, draft: &Draft) -> Value {
    let field = |field: &FoundField| json!({ "stream": field.stream, "name": field.name, "taken_for": field.taken_for, "because": field.because });
    let groups: Vec<Value> = (draft.pipeline.groups.iter())
        .map(|group| json!({ "name": group.name, "entity": group.entity, "columns": group.columns().len() }))
        .collect();
    json!({
        "folder": folder.display().to_string(),
        "events": draft.events,
        "from": draft.times.map(|(from, _)| from.to_string()),
        "to": draft.times.map(|(_, to)| to.to_string()),
        "fields": draft.fields.iter().map(field).collect::<Vec<Value>>(),
        "groups": groups,
        "refused": draft.refused,
        "notes": draft.notes,
    })
}

fn text(folder: &Path, arguments: &New, draft: &Draft, console: &Console) -> String {
    let times = draft.times.map_or(String::new(), |(from, to)| format!(", from {from} to {to}"));
    let mut text = format!("{} {}: drafted from {} events{times}\n\n", console.good("ok"), arguments.name, grouped(draft.events));
    let cut = |text: &str| match text.chars().count() > TAKEN_FOR_MAX {
        true => format!("{}…", text.chars().take(TAKEN_FOR_MAX - 1).collect::<String>()),
        false => text.to_owned(),
    };
    let fields = draft.fields.iter().map(|field| vec![field.stream.clone(), field.name.clone(), cut(&field.taken_for)]);
    text.push_str(&table(&["stream", "field", "taken for"], &fields.collect::<Vec<_>>()));
    let groups = draft.pipeline.groups.iter().map(|group| {
        let columns: Vec<String> = group.columns().into_iter().map(|column| column.name).collect();
        vec![group.entity.clone(), group.name.clone(), cut(&columns.join(" "))]
    });
    text.push_str(&format!("\n{}", table(&["entity", "group", "columns"], &groups.collect::<Vec<_>>())));
    if !draft.notes.is_empty() {
        text.push_str("\nTo look at:\n");
        draft.notes.iter().for_each(|note| text.push_str(&format!("  - {note}\n")));
    }
    let folder = folder.display();
    let next = ["check", "test", "run"].map(|command| format!("  headway {command} {folder}\n")).concat();
    text + &format!("\n{folder}/pipeline.toml says beside each guess why it was made. Next:\n{next}")
}
