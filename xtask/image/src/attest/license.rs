//! Licenses as SPDX writes them. Package lists have free text; what is an expression of well-known names stays, everything else
//! becomes a reference to its own words.

/// Names of SPDX's list that packages use most.
const KNOWN: [&str; 61] = [
    "0BSD",
    "AFL-2.1",
    "AGPL-3.0-only",
    "AGPL-3.0-or-later",
    "Apache-1.1",
    "Apache-2.0",
    "Artistic-1.0-Perl",
    "Artistic-2.0",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-2-Clause-Patent",
    "BSD-3-Clause",
    "BSD-4-Clause",
    "BSL-1.0",
    "BlueOak-1.0.0",
    "CC-BY-3.0",
    "CC-BY-4.0",
    "CC-BY-SA-4.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "CPL-1.0",
    "EPL-1.0",
    "EPL-2.0",
    "FTL",
    "GFDL-1.3-or-later",
    "GPL-1.0-or-later",
    "GPL-2.0-only",
    "GPL-2.0-or-later",
    "GPL-3.0-only",
    "GPL-3.0-or-later",
    "HPND",
    "ICU",
    "IJG",
    "ISC",
    "LGPL-2.0-only",
    "LGPL-2.0-or-later",
    "LGPL-2.1-only",
    "LGPL-2.1-or-later",
    "LGPL-3.0-only",
    "LGPL-3.0-or-later",
    "Libpng",
    "MIT",
    "MIT-0",
    "MPL-1.1",
    "MPL-2.0",
    "NCSA",
    "NTP",
    "OFL-1.1",
    "OpenSSL",
    "PSF-2.0",
    "PostgreSQL",
    "Python-2.0",
    "Ruby",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "Vim",
    "WTFPL",
    "X11",
    "Zlib",
    "curl",
];

/// How SPDX is told of a license.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum License {
    /// Nobody said anything.
    Unknown,
    /// An expression.
    Expression(String),
    /// A name made for this text, which is no expression.
    Own(String, String),
}

impl License {
    /// The license that a list's text means.
    pub fn of(text: &str) -> Self {
        let text = text.trim();
        if text.is_empty() {
            return Self::Unknown;
        }
        if is_expression(text) { Self::Expression(text.to_owned()) } else { Self::Own(own_name(text), text.to_owned()) }
    }

    /// What stands in a document: an expression, a reference, or that nothing is asserted.
    pub fn told(&self) -> &str {
        match self {
            Self::Unknown => "NOASSERTION",
            Self::Expression(text) | Self::Own(text, _) => text,
        }
    }
}

/// Names joined by `AND` and `OR`, in parentheses that match; each opened before a name and closed behind one.
fn is_expression(text: &str) -> bool {
    let spaced = text.replace('(', " ( ").replace(')', " ) ");
    let (mut open, mut wants_name) = (0, true);
    for word in spaced.split_whitespace() {
        match word {
            "(" if wants_name => open += 1,
            ")" if !wants_name && open > 0 => open -= 1,
            "AND" | "OR" if !wants_name => wants_name = true,
            name if wants_name && KNOWN.contains(&name) => wants_name = false,
            _ => return false,
        }
    }
    open == 0 && !wants_name
}

fn own_name(text: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    format!("LicenseRef-{}", text.chars().take(80).map(allowed).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_stay_and_everything_else_is_referred_to() {
        for text in ["MIT", "(MIT OR Apache-2.0)", "BSD-3-Clause AND (ISC OR Zlib)"] {
            assert_eq!(License::of(text), License::Expression(text.to_owned()));
        }
        for (text, name) in [
            ("BSD", "LicenseRef-BSD"),
            ("SEE LICENSE IN x/y", "LicenseRef-SEE-LICENSE-IN-x-y"),
            ("MIT OR", "LicenseRef-MIT-OR"),
            ("MIT ISC", "LicenseRef-MIT-ISC"),
            ("(MIT", "LicenseRef--MIT"),
            ("MIT)(ISC", "LicenseRef-MIT--ISC"),
        ] {
            assert_eq!(License::of(text), License::Own(name.to_owned(), text.to_owned()), "{text}");
        }
        assert_eq!(License::of(" ").told(), "NOASSERTION");
    }
}
