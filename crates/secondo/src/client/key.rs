//! `secondo key add | list | remove`.

use std::io::Read;
use std::path::Path;

use api::json::{AddKey, AddedKey, KeyAlgorithm, Keys};
use api::segment_of;
use dns::Name;

use super::command::KeyAction;
use super::failure::Failure;
use super::output::{Format, Output, time_text};
use super::server::Server;

/// The longest secret file, in octets: base64 of the longest secret, with room for line ends.
const SECRET_FILE_OCTETS_MAX: u64 = 4_096;

pub(crate) async fn carry_out(action: KeyAction, server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    match action {
        KeyAction::Add { name, algorithm, secret_file } => {
            add(&name, algorithm, secret_file.as_deref(), server, output).await
        }
        KeyAction::List => list(server, output).await,
        KeyAction::Remove { name } => {
            server.delete(&format!("/keys/{}", segment_of(&name))).await?;
            if output.format() == Format::Text {
                output.line(&format!("removed the key {name}"))?;
            }
            Ok(())
        }
    }
}

async fn add(
    name: &Name,
    algorithm: KeyAlgorithm,
    secret_file: Option<&Path>,
    server: &Server,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let secret = secret_file.map(read_secret).transpose()?;
    let key = AddKey { name: name.to_string(), algorithm: Some(algorithm.to_string()), secret };
    let added: AddedKey = server.post("/keys", &key).await?;
    if output.format() == Format::Json {
        return Ok(output.json(&added)?);
    }
    output.line(&format!("added the key {} ({})", added.name, added.algorithm))?;
    let Some(secret) = added.secret else {
        return Ok(());
    };
    // BIND writes key names without the last dot.
    let bare = added.name.strip_suffix('.').unwrap_or(&added.name);
    let algorithm = added.algorithm;
    output.line(&format!(
        "\nIts secret, which is not shown again:\n\n  {secret}\n\n\
         For BIND, in the primary's named.conf:\n\n\
         key \"{bare}\" {{\n    algorithm {algorithm};\n    secret \"{secret}\";\n}};\n\n\
         and in each zone that may be transferred with it:\n\n    \
         allow-transfer {{ key \"{bare}\"; }};\n\n\
         Then add the zone here:\n\n  secondo zone add NAME --primary ADDR,key={bare}"
    ))?;
    Ok(())
}

async fn list(server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    let Keys { keys } = server.get("/keys", &[]).await?;
    if output.format() == Format::Json {
        return Ok(output.json(&keys)?);
    }
    if keys.is_empty() {
        return Ok(output.line("there are no keys; add one with `secondo key add NAME`")?);
    }
    let rows = keys
        .into_iter()
        .map(|key| vec![key.name, key.algorithm.to_string(), key.primaries.to_string(), time_text(key.created_at)]);
    Ok(output.table(&["NAME", "ALGORITHM", "PRIMARIES", "CREATED"], rows)?)
}

pub(super) fn read_secret(file: &Path) -> Result<String, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::new("file_unreadable", format!("the secret file {} cannot be read: {error}", file.display()))
    };
    let mut text = String::new();
    let read = if file == Path::new("-") {
        std::io::stdin().take(SECRET_FILE_OCTETS_MAX).read_to_string(&mut text)
    } else {
        std::fs::File::open(file).map_err(unreadable)?.take(SECRET_FILE_OCTETS_MAX).read_to_string(&mut text)
    };
    read.map_err(unreadable)?;
    Ok(text.trim().to_owned())
}
