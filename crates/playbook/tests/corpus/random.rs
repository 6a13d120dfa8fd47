//! Numbers and texts from a seed, the same on every machine.

/// A generator of numbers after Marsaglia: good enough to make up texts, and it needs no dependency.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        // Small seeds differ in few bits; some rounds spread them.
        let mut random = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..8 {
            random.below(2);
        }
        random
    }

    /// A number below a limit that is not 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        // The high bits are the better ones.
        usize::try_from((self.0 >> 16) % limit as u64).expect("it is below a usize")
    }

    pub(crate) fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            let other = self.below(at + 1);
            list.swap(at, other);
        }
    }

    /// Made-up text of a class of characters.
    pub(crate) fn text(&mut self, class: &str, length: usize) -> String {
        const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
        const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        const DIGIT: &str = "0123456789";
        let alphabet = match class {
            "hex" => "0123456789abcdef".to_owned(),
            "HEX" => "0123456789ABCDEF".to_owned(),
            "digit" | "id" => DIGIT.to_owned(),
            "upper" => [UPPER, DIGIT].concat(),
            "capital" => UPPER.to_owned(),
            "base32" => [UPPER, "234567"].concat(),
            "base36" => [LOWER, DIGIT].concat(),
            "vowel" => "aou".to_owned(),
            "consonant" => "bfgjkvwxz".to_owned(),
            "letter" => LOWER.to_owned(),
            "alnum" => [UPPER, LOWER, DIGIT].concat(),
            "base64" => [UPPER, LOWER, DIGIT, "+/"].concat(),
            "base64url" => [UPPER, LOWER, DIGIT, "-_"].concat(),
            "special" => [LOWER, DIGIT, "!@#$%^&*(-_=+)"].concat(),
            "word" | "Word" | "l33t" => return self.word(class),
            "year" => return (1960 + self.below(65)).to_string(),
            _ => panic!("kinds.toml: no class {class}"),
        };
        let alphabet: Vec<char> = alphabet.chars().collect();
        (0..length)
            .map(|_| alphabet[self.below(alphabet.len())])
            .collect()
    }

    /// A word that can be spoken and stands in no dictionary, so that no plan holds it by chance.
    fn word(&mut self, class: &str) -> String {
        let syllables = 3 + self.below(2);
        let mut word = String::new();
        for _ in 0..syllables {
            word += &self.text("consonant", 1);
            word += &self.text("vowel", 1);
        }
        word += &self.text("consonant", 1);
        match class {
            "word" => word,
            "Word" => {
                let (first, rest) = word.split_at(1);
                first.to_uppercase() + rest
            }
            _ => word
                .replace('a', "4")
                .replace('e', "3")
                .replace('i', "1")
                .replace('o', "0"),
        }
    }
}
