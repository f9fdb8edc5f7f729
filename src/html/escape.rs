//! Text in a page as text: no scenario's name can become markup.

/// `text` for use between tags and in quoted attributes.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// JSON for use in a `<script>` element, which no text in it can end.
pub fn json_in_script(json: &str) -> String {
    // JSON has these characters in strings only, where an escape means the same.
    json.replace('<', "\\u003c")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_text() {
        assert_eq!(
            escaped("<b a=\"1\">&'"),
            "&lt;b a=&quot;1&quot;&gt;&amp;&#39;"
        );
    }

    #[test]
    fn no_string_ends_the_script() {
        let json = json_in_script(r#"{"name":"</script><!--"}"#);
        assert_eq!(json, "{\"name\":\"\\u003c/script>\\u003c!--\"}");
        let value: serde_json::Value = serde_json::from_str(&json).expect("still JSON");
        assert_eq!(value["name"], "</script><!--");
    }
}
