//! `headway models sign`: a signature for a package that loads, so that nobody waits for a scorer to find out that it does not.

use std::fs;

use scoring::package::{SIGNATURE, sign};
use serde_json::json;

use super::{keys, load, read};
use crate::{arguments::ModelsSign, console::Console, failure::Failure};

pub(super) fn run(arguments: &ModelsSign, console: &Console) -> Result<(), Failure> {
    let folder = &arguments.folder;
    let mut files = read(folder)?;
    let drawn = arguments.key.new_key.as_ref().map(|path| Ok::<_, Failure>((path, keys::NewKey::draw()?))).transpose()?;
    let signer = match (&drawn, &arguments.key.key) {
        (Some((_, new)), _) => new.signer(),
        (None, Some(path)) => keys::secret(path)?,
        (None, None) => return Err(Failure::usage_of("name the secret key by --key, or the file for a new one by --new-key")),
    };
    let digest = sign(&mut files, &signer);
    let loaded = load(&files, &[signer.key()])?;
    // First the key: a signature of a key that is lost would be of no use.
    if let Some((path, new)) = &drawn {
        new.write(path, folder)?;
    }
    let path = folder.join(SIGNATURE);
    fs::write(&path, &files[SIGNATURE]).map_err(|error| Failure::writing(&path, &error))?;

    let (manifest, key) = (loaded.package.manifest(), signer.key().to_string());
    console.result(
        || {
            let mut object = json!({
                "folder": folder.display().to_string(), "name": manifest.name, "version": manifest.version,
                "digest": digest.to_string(), "key": key, "signature": path.display().to_string(),
            });
            if let Some((path, _)) = &drawn {
                object["new_key"] = path.display().to_string().into();
            }
            object
        },
        || {
            let new = drawn.as_ref().map_or(String::new(), |(path, _)| {
                format!("The new secret key is in {}: keep it where nobody else can read it.\n", path.display())
            });
            format!(
                "{} {} {}: signed\n  digest  {digest}\n  key     {key}, for the `--trust` of whoever loads it\n{new}",
                console.good("ok"),
                manifest.name,
                manifest.version,
            )
        },
    )?;
    Ok(())
}
