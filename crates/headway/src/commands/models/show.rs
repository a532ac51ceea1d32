//! `headway models show`: what a package says of itself, after it was found to be sound. Who signed it is told and not judged.

use scoring::{
    Input, Kind, Makeup,
    package::{Manifest, key_of},
};
use serde_json::{Value, json};

use super::{Loaded, load, makeup, read};
use crate::{
    arguments::ModelsShow,
    console::Console,
    failure::Failure,
    plain::plain_line,
    table::{bytes, grouped, table},
};

pub(super) fn run(arguments: &ModelsShow, console: &Console) -> Result<(), Failure> {
    let files = read(&arguments.folder)?;
    let loaded = load(&files, &[key_of(&files)?])?;
    let folder = arguments.folder.display().to_string();
    console.result(|| object(&folder, &loaded), || text(&folder, &loaded))?;
    Ok(())
}

fn object(folder: &str, loaded: &Loaded) -> Value {
    let Loaded { package, model_bytes, manifest_bytes } = loaded;
    let manifest = package.manifest();
    let model = match package.session().makeup() {
        Makeup::Trees { trees, nodes } => json!({ "kind": "trees", "trees": trees, "nodes": nodes }),
        Makeup::Network { operators } => json!({ "kind": "network", "operators": operators }),
    };
    let mut object = json!({
        "folder": folder,
        "name": manifest.name,
        "version": manifest.version,
        "digest": package.digest().to_string(),
        "key": package.key().to_string(),
        "model": model,
        "model_bytes": model_bytes,
        "manifest_bytes": manifest_bytes,
        "inputs": manifest.inputs,
        "outputs": manifest.outputs,
        "training": manifest.training,
        "metrics": manifest.metrics,
        "profiles": manifest.profiles.keys().collect::<Vec<&String>>(),
        "golden_rows": manifest.golden.len(),
    });
    if let Some(calibration) = &manifest.calibration {
        object["calibration"] = json!(calibration);
    }
    object
}

fn text(folder: &str, loaded: &Loaded) -> String {
    let Loaded { package, model_bytes, manifest_bytes } = loaded;
    let manifest = package.manifest();
    let training = &manifest.training;
    let key = package.key();
    let mut text = format!(
        "{} {}\n  digest    {}\n  key       {key}\n  model     {}; {}, and {} of what is known about it\n  training  \
         {} to {}, {} rows with the SHA-256 {}\n",
        manifest.name,
        manifest.version,
        package.digest(),
        makeup(package.session().makeup()),
        bytes(*model_bytes),
        bytes(*manifest_bytes),
        plain_line(&training.from),
        plain_line(&training.until),
        grouped(training.rows),
        training.data_sha256,
    );
    text.push_str(&format!("\n{}", table(&["input", "kind", "if missing"], &rows(&manifest.inputs, input))));
    text.push_str(&format!("\n{}", table(&["output", "calibration"], &rows(&manifest.outputs, |name| output(manifest, name)))));
    if !manifest.metrics.is_empty() {
        let metrics = rows(&manifest.metrics, |metric| {
            vec![plain_line(&metric.slice), plain_line(&metric.name), metric.value.to_string(), grouped(metric.rows)]
        });
        text.push_str(&format!("\n{}", table(&["slice", "metric", "value", "rows"], &metrics)));
    }
    let quoted = if folder.contains([' ', '\'', '"']) { format!("{folder:?}") } else { folder.to_owned() };
    text + &format!(
        "\nGolden rows: {}, and all agree.\nIf the key is one to trust: headway models verify {quoted} --trust {key}",
        manifest.golden.len()
    )
}

fn rows<T>(items: &[T], row: impl Fn(&T) -> Vec<String>) -> Vec<Vec<String>> {
    items.iter().map(row).collect()
}

fn input(input: &Input) -> Vec<String> {
    let kind = match (input.kind, input.categories) {
        (Kind::Category, Some(count)) => format!("one of {count} categories"),
        (Kind::Category, None) => "category".to_owned(),
        (Kind::Number, _) => "number".to_owned(),
    };
    let missing = input.default.map_or("the model sees it".to_owned(), |default| default.to_string());
    vec![plain_line(&input.name), kind, missing]
}

fn output(manifest: &Manifest, name: &String) -> Vec<String> {
    let offset = manifest.calibration.as_ref().and_then(|calibration| calibration.offsets.get(name));
    vec![plain_line(name), offset.map_or(String::new(), |offset| format!("{offset:+}"))]
}
