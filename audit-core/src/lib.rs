//! wip
pub mod checkpoint;
pub mod entry;
pub mod hash;
pub mod id;
pub mod sink;
pub mod time;
pub mod tree;
pub mod verify;
pub mod vocabulary;
