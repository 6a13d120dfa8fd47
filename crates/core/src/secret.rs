//! Is this name, or this value, a secret?
//!
//! Names are judged by their words (`names`), values by the shapes that vendors give to their credentials
//! (`tokens`) and by what people and generators make (`values`, `letters`). The words stand in `secret/words.toml`, the shapes
//! in `secret/patterns.toml`.

mod base64;
mod letters;
mod names;
mod search;
mod tokens;
mod values;
mod withheld;
mod words;

pub use base64::decoded;
pub use names::{is_secret_name, is_secret_option, kind_of_secret, words_of};
pub use search::{Hit, Search};
pub use tokens::{TokenShape, token_kind, token_shapes};
pub use values::{
    has_user_info, is_guessable_password, is_invisible, is_known_hash, is_likely_password, is_random_run,
    looks_like_token,
};
pub use withheld::{Withheld, is_placeholder};
pub(crate) use words::words;
