//! The diagram of a run in its page: the frame that the scripts fill, and the packed picture.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use rebound_view::Picture;

use crate::figures::grouped;
use crate::html::escaped;

/// Styles of the diagram.
pub const STYLE: &str = include_str!("assets/run.css");

/// The scripts of the diagram, in the order in which they build on each other.
pub const SCRIPTS: [&str; 9] = [
    include_str!("assets/time.js"),
    include_str!("assets/decode.js"),
    include_str!("assets/lanes.js"),
    include_str!("assets/filter.js"),
    include_str!("assets/link.js"),
    include_str!("assets/draw.js"),
    include_str!("assets/pick.js"),
    include_str!("assets/panel.js"),
    include_str!("assets/main.js"),
];

/// The frame; the static markup is the same for every run.
pub fn section(picture: &Result<Picture, String>) -> String {
    match picture {
        Ok(picture) => {
            let left_out = match picture.left_out {
                0 => String::new(),
                n => format!(
                    "<p class=\"note\">The diagram has the first {} events. {} more happened: \
                     --from and --until choose another part.</p>\n",
                    grouped(u64::from(picture.events.len())),
                    grouped(n)
                ),
            };
            format!(
                "<p class=\"note\" id=\"no-diagram\" hidden></p>\n\
                 <noscript><p class=\"note\">The diagram needs scripts. Findings and figures are \
                 below.</p></noscript>\n{}{left_out}",
                include_str!("assets/diagram.html")
            )
        }
        Err(why) => format!("<p class=\"note\">No diagram: {}</p>\n", escaped(why)),
    }
}

/// The picture as scripts read it: JSON, deflated, in base64.
pub fn packed(picture: &Picture) -> String {
    let json = serde_json::to_vec(picture).expect("columns of numbers and texts are JSON");
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    let deflated = encoder
        .write_all(&json)
        .and_then(|()| encoder.finish())
        .expect("memory can be written");
    format!("{{\"picture\":\"{}\"}}", STANDARD.encode(deflated))
}
