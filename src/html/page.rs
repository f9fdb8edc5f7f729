//! The frame of every page: head, colours, data, scripts.

use super::escape::{escaped, json_in_script};

/// Colours, type and what all pages have in common.
const BASE_STYLE: &str = include_str!("base.css");

/// A page to be written.
pub struct Page<'a> {
    /// The window's title, as plain text.
    pub title: &'a str,
    /// The content of `<main>`, as HTML.
    pub body: String,
    /// What scripts read: JSON, found as the text of the element `data`.
    pub data: Option<String>,
    /// Styles beyond the common ones.
    pub styles: &'a [&'a str],
    /// Scripts, run in this order, each in a scope of its own only if it makes one.
    pub scripts: &'a [&'a str],
}

impl Page<'_> {
    /// The whole file.
    ///
    /// Its policy forbids the page to load anything, so that a report can be passed on and opened
    /// anywhere, and tells nobody that it was.
    pub fn render(&self) -> String {
        let styles: String = self.styles.concat();
        let data = self.data.as_deref().map_or(String::new(), |data| {
            format!(
                "<script type=\"application/json\" id=\"data\">{}</script>\n",
                json_in_script(data)
            )
        });
        let scripts: String = self.scripts.concat();
        format!(
            "<!doctype html>\n\
             <html lang=\"en\">\n\
             <head>\n\
             <meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <meta name=\"generator\" content=\"rebound {version}\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
             style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\n\
             <title>{title}</title>\n\
             <style>\n{BASE_STYLE}{styles}</style>\n\
             </head>\n\
             <body>\n\
             <main id=\"main\">\n{body}</main>\n\
             {data}<script>\n\"use strict\";\n{scripts}</script>\n\
             </body>\n\
             </html>\n",
            version = env!("CARGO_PKG_VERSION"),
            title = escaped(self.title),
            body = self.body,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_cannot_leave_its_element_and_nothing_may_be_loaded() {
        let page = Page {
            title: "</title><script>alert(1)</script>",
            body: String::new(),
            data: Some("{\"a\":\"</script>\"}".to_owned()),
            styles: &[],
            scripts: &[],
        };
        let html = page.render();
        assert!(!html.contains("<script>alert"), "{html}");
        assert!(!html.contains("\"</script>"), "{html}");
        assert!(html.contains("default-src 'none'"), "{html}");
    }
}
