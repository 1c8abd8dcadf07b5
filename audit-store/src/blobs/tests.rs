use std::sync::Barrier;

use super::*;
use crate::disk::SystemDisk;
use crate::segment::tests::failing::{FailingDisk, Fails};

/// Writes a blob and brings it to the disk.
fn write(disk: &dyn Disk, layout: &Layout, bytes: &[u8]) -> Result<Hash, Error> {
    let staged = stage(disk, layout, bytes)?;
    settle(disk, layout, core::slice::from_ref(&staged))
        .map_err(|source| Error::io(&layout.blobs(), "settle", source))?;
    Ok(staged.hash)
}

#[test]
fn what_a_process_left_becomes_a_blob_or_is_removed() {
    let (_directory, layout) = log();
    let staged = stage(&SystemDisk, &layout, b"large").unwrap();
    // A record may refer to it already.
    assert_eq!(read(&layout.directory, staged.hash).unwrap().unwrap(), b"large");
    assert_eq!(list(&layout.directory).unwrap(), []);
    let unfinished = layout.blobs().join(format!("{}.7.tmp", Hash::of(b"another")));
    fs::write(&unfinished, b"anot").unwrap();
    settle_leftovers(&SystemDisk, &layout).unwrap();
    assert_eq!(list(&layout.directory).unwrap(), [staged.hash]);
    assert!(!unfinished.exists());
    settle_leftovers(&SystemDisk, &layout).unwrap();
    assert_eq!(check(&layout).unwrap().blobs, 1);
}

fn log() -> (tempfile::TempDir, Layout) {
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout::new(directory.path());
    (directory, layout)
}

#[test]
fn a_blob_is_read_by_its_hash() {
    let (_directory, layout) = log();
    assert_eq!(list(&layout.directory).unwrap(), []);
    assert_eq!(check(&layout).unwrap(), Checked::default());
    let hash = write(&SystemDisk, &layout, b"large").unwrap();
    assert_eq!(hash, Hash::of(b"large"));
    assert_eq!(write(&SystemDisk, &layout, b"large").unwrap(), hash);
    let empty = write(&SystemDisk, &layout, b"").unwrap();
    assert_eq!(read(&layout.directory, hash).unwrap().unwrap(), b"large");
    assert_eq!(read(&layout.directory, empty).unwrap().unwrap(), b"");
    assert_eq!(read(&layout.directory, Hash::of(b"another")).unwrap(), None);
    let mut both = vec![hash, empty];
    both.sort();
    assert_eq!(list(&layout.directory).unwrap(), both);
    assert_eq!(check(&layout).unwrap(), Checked { blobs: 2, bytes: 5 });
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let metadata = fs::metadata(layout.blobs().join(hash.to_string())).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn the_largest_blob_is_kept_and_a_larger_one_refused() {
    let (_directory, layout) = log();
    let mut bytes = vec![b'x'; BLOB_BYTES_MAX];
    let hash = write(&SystemDisk, &layout, &bytes).unwrap();
    assert!(read(&layout.directory, hash).unwrap().unwrap() == bytes);
    bytes.push(b'x');
    assert!(write(&SystemDisk, &layout, &bytes).unwrap_err().is_io());
    fs::write(layout.blobs().join(Hash::of(&bytes).to_string()), &bytes).unwrap();
    assert!(check(&layout).unwrap_err().to_string().contains("expected at most 16777216 bytes"));
}

#[test]
fn an_altered_blob_is_found_by_whoever_looks_at_it() {
    let (_directory, layout) = log();
    let hash = write(&SystemDisk, &layout, b"large").unwrap();
    fs::write(layout.blobs().join(hash.to_string()), b"largo").unwrap();
    assert!(check(&layout).unwrap_err().is_tampered());
    assert!(read(&layout.directory, hash).unwrap_err().is_tampered());
    assert!(write(&SystemDisk, &layout, b"large").unwrap_err().is_tampered());
    let expected = format!("blobs/{hash}");
    assert_eq!(check(&layout).unwrap_err().found().unwrap().file.as_deref(), Some(expected.as_str()));
}

#[test]
fn what_is_no_blob_is_a_finding() {
    let (_directory, layout) = log();
    let hash = write(&SystemDisk, &layout, b"large").unwrap();
    let refused = |name: &str| {
        let path = layout.blobs().join(name);
        fs::write(&path, b"large").unwrap();
        assert!(check(&layout).unwrap_err().is_tampered(), "{name}");
        assert!(list(&layout.directory).unwrap_err().is_tampered(), "{name}");
        fs::remove_file(path).unwrap();
    };
    refused("notes.txt");
    refused(&hash.to_string().to_uppercase());
    refused(&format!("{hash}.tmp"));
    refused(&format!("{hash}.x.tmp"));
    // What an interrupted writing leaves is none.
    fs::write(layout.blobs().join(format!("{hash}.0.tmp")), b"la").unwrap();
    assert_eq!(check(&layout).unwrap().blobs, 1);
    fs::create_dir(layout.blobs().join(Hash::of(b"directory").to_string())).unwrap();
    assert!(check(&layout).unwrap_err().to_string().contains("expected a plain file"));
}

#[test]
fn threads_that_write_the_same_blob_at_once_all_succeed() {
    let (_directory, layout) = log();
    let start = Barrier::new(8);
    let bytes = vec![b'x'; 100_000];
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                start.wait();
                assert_eq!(write(&SystemDisk, &layout, &bytes).unwrap(), Hash::of(&bytes));
            });
        }
    });
    assert_eq!(list(&layout.directory).unwrap(), [Hash::of(&bytes)]);
    assert_eq!(fs::read_dir(layout.blobs()).unwrap().count(), 1);
}

#[test]
fn whatever_fails_a_blob_is_whole_or_not_there() {
    for (fails, killed) in
        [Fails::Before, Fails::After, Fails::Halfway].map(|fails| [(fails, true), (fails, false)]).concat()
    {
        for operation in 0.. {
            let (_directory, layout) = log();
            let disk = FailingDisk::new(operation, fails, killed);
            let outcome = write(&disk, &layout, b"large");
            let hash = Hash::of(b"large");
            let found = read(&layout.directory, hash).unwrap();
            assert!(found.as_deref().is_none_or(|bytes| bytes == b"large"), "operation {operation}");
            check(&layout).unwrap();
            if !disk.has_failed() {
                assert_eq!((outcome.unwrap(), found.is_some()), (hash, true));
                assert!(operation > 5);
                break;
            }
            assert!(outcome.unwrap_err().is_io());
            assert_eq!(write(&SystemDisk, &layout, b"large").unwrap(), hash);
            assert_eq!(read(&layout.directory, hash).unwrap().unwrap(), b"large");
        }
    }
}
