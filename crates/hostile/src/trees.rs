//! Trees with what a file system can hold beside ordinary files.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::texts::Worst;

/// Writes files of one kind, of so many bytes each, in folders of their own.
pub fn of_worst(root: &Path, worst: &Worst, files: usize, bytes: usize) -> io::Result<()> {
    let text = worst.text(bytes);
    for number in 0..files {
        let path = root.join(format!("{}-{number}", worst.name)).join(worst.file);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, &text)?;
    }
    Ok(())
}

/// A named pipe. Opening one for reading waits for ever unless somebody asks not to.
pub fn pipe(path: &Path) -> io::Result<bool> {
    started(Command::new("mkfifo").arg(path))
}

/// A device of the kind of `/dev/zero`, which never ends; only the superuser may make one.
pub fn device(path: &Path) -> io::Result<bool> {
    started(Command::new("mknod").arg(path).args(["c", "1", "5"]))
}

fn started(command: &mut Command) -> io::Result<bool> {
    Ok(command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?
        .success())
}

/// A file that is larger than the disk and holds nothing.
pub fn sparse(path: &Path, bytes: u64) -> io::Result<()> {
    fs::File::create(path)?.set_len(bytes)
}

/// Folders in folders, with a file in the deepest. Made from the inside: no path is longer than the system takes.
pub fn deep(root: &Path, levels: usize) -> io::Result<()> {
    // `mkdir -p` would be handed a path that is too long; a shell goes down step by step.
    let script = format!(
        "i=0; while [ $i -lt {levels} ]; do mkdir d && cd d || exit 1; i=$((i + 1)); done; echo 'FROM a' > Dockerfile"
    );
    let made = started(Command::new("sh").args(["-c", &script]).current_dir(root))?;
    if made {
        Ok(())
    } else {
        Err(io::Error::other("the folders could not be made"))
    }
}

/// Empties a folder that holds trees as deep as [`deep`] makes them.
pub fn remove(root: &Path) -> io::Result<()> {
    let _ = started(Command::new("chmod").args(["-R", "u+rwX"]).arg(root))?;
    let removed = started(Command::new("rm").arg("-rf").arg(root))?;
    if removed {
        Ok(())
    } else {
        Err(io::Error::other("the tree could not be removed"))
    }
}

/// Small files, a thousand to a folder.
pub fn many(root: &Path, files: usize, name: &str, text: &str) -> io::Result<()> {
    for number in 0..files {
        let folder = root
            .join(format!("d{}", number / 1_000))
            .join(format!("e{}", number % 1_000));
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(name), text.replace('#', &number.to_string()))?;
    }
    Ok(())
}

/// A file of so many bytes, written in pieces.
pub fn large(path: &Path, piece: &str, bytes: usize) -> io::Result<()> {
    let mut file = io::BufWriter::new(fs::File::create(path)?);
    for _ in 0..=bytes / piece.len().max(1) {
        file.write_all(piece.as_bytes())?;
    }
    file.flush()
}
