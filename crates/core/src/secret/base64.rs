//! Text in Base64, as the objects of Kubernetes hold it.

use crate::raw::Raw;

/// The text that stands in Base64; `None` where it is no Base64 or no text. Not printable.
pub fn decoded(raw: Raw<'_>) -> Option<String> {
    let text = raw.peek().trim().trim_end_matches('=');
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let mut bits: u32 = 0;
    let mut count = 0_u32;
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xff_ffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        let text = |text: &str| decoded(Raw::new(text));
        assert_eq!(text("aHVudGVyMjI=").as_deref(), Some("hunter22"));
        assert_eq!(text("w6k_Pw").as_deref(), Some("é??"));
        assert_eq!(text("aHVudGVy!"), None);
        assert_eq!(text("/////w=="), None);
        assert_eq!(text("").as_deref(), Some(""));
    }
}
