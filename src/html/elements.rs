//! Small parts that pages share: the heading, a list of facts, a command to be copied.

use super::escape::escaped;

/// The page's heading: its title, and below it a sentence of HTML.
pub fn heading(title: &str, below: &str) -> String {
    format!(
        "<header>\n<h1>{}</h1>\n<p>{below}</p>\n</header>\n",
        escaped(title)
    )
}

/// A list of names and values; values are HTML.
pub fn facts(facts: &[(&str, String)]) -> String {
    let mut html = String::from("<dl class=\"facts\">\n");
    for (name, value) in facts {
        html.push_str(&format!("<dt>{}</dt><dd>{value}</dd>\n", escaped(name)));
    }
    html + "</dl>\n"
}

/// A command line, with a button that copies it where scripts run.
pub fn command(line: &str) -> String {
    format!(
        "<span class=\"command\"><code>{0}</code><button type=\"button\" class=\"copy no-print\" \
         hidden aria-label=\"Copy: {0}\">Copy</button></span>",
        escaped(line)
    )
}
