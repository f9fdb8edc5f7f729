//! Where the panes go, for the room that there is.

use ratatui::layout::Rect;

/// The smallest terminal on which something can be shown: columns and lines.
pub const SMALLEST: (u16, u16) = (40, 12);

/// Columns from which the panes stand side by side.
const WIDE: u16 = 120;

/// Lines from which panes have titles.
const TITLED: u16 = 16;

/// How many lines each pane would like to have.
#[derive(Copy, Clone, Debug)]
pub struct Wanted {
    /// The nodes.
    pub nodes: u16,
    /// The clients.
    pub clients: u16,
    /// The findings.
    pub findings: u16,
    /// What is below all panes: it gets what it wants.
    pub foot: u16,
}

/// Where each pane's text goes. A title, if there is one, is on the line above.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Panes {
    /// The nodes.
    pub nodes: Rect,
    /// The clients.
    pub clients: Rect,
    /// The records.
    pub story: Rect,
    /// The findings.
    pub findings: Rect,
    /// Prompt, notices and status.
    pub foot: Rect,
    /// Whether there are titles.
    pub titled: bool,
}

/// Columns of the panes next to the story, or of all.
pub fn side(area: Rect) -> u16 {
    if area.width >= WIDE {
        area.width * 2 / 5
    } else {
        area.width
    }
}

/// Places the panes.
pub fn place(area: Rect, wanted: Wanted) -> Panes {
    let titled = area.height >= TITLED;
    let title = u16::from(titled);
    let foot = wanted.foot.min(area.height / 2);
    let body = area.height - foot;
    let wide = area.width >= WIDE;
    let side = side(area);
    let titles = if wide { 3 * title } else { 4 * title };
    let room = body - titles.min(body);
    // The story is what one reads: it has a third of the room at least.
    let story_least = if wide { 0 } else { (room / 3).max(3).min(room) };
    let mut left = room - story_least;
    let mut take = |wanted: u16, most: u16| {
        let taken = wanted.min(most).min(left);
        left -= taken;
        taken
    };
    // Something is left for the client.
    let nodes = take(wanted.nodes, (room - story_least).saturating_sub(2).max(1));
    let clients = take(wanted.clients, u16::MAX);
    let findings = take(wanted.findings, if wide { u16::MAX } else { room / 5 });
    let rect = |y: u16, height: u16| Rect {
        x: area.x,
        y: area.y + y,
        width: side,
        height,
    };
    let mut y = 0;
    let mut stack = |height: u16| {
        let pane = rect(y + title, height);
        y += title + height;
        pane
    };
    let (nodes, clients) = (stack(nodes), stack(clients));
    let (story, findings) = if wide {
        // A column stays free between the two.
        let story = Rect {
            x: area.x + side + 1,
            y: area.y + title,
            width: area.width - side - 1,
            height: body - title,
        };
        (story, stack(findings))
    } else {
        let story = stack(room - nodes.height - clients.height - findings);
        (story, stack(findings))
    };
    Panes {
        nodes,
        clients,
        story,
        findings,
        foot: Rect {
            x: area.x,
            y: area.y + body,
            width: area.width,
            height: foot,
        },
        titled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panes(width: u16, height: u16, nodes: u16) -> Panes {
        let wanted = Wanted {
            nodes,
            clients: 3,
            findings: 20,
            foot: 2,
        };
        place(Rect::new(0, 0, width, height), wanted)
    }

    #[test]
    fn every_pane_has_room_on_every_terminal() {
        for width in [40, 80, 119, 120, 200] {
            for height in 12..70 {
                for nodes in [1, 2, 6, 40] {
                    let panes = panes(width, height, nodes);
                    let context = format!("{width}x{height}, {nodes} nodes: {panes:?}");
                    assert!(panes.nodes.height >= 1, "{context}");
                    assert!(panes.clients.height >= 1, "{context}");
                    assert!(panes.story.height >= 3, "{context}");
                    assert_eq!(panes.foot.bottom(), height, "{context}");
                    for pane in [panes.nodes, panes.clients, panes.story, panes.findings] {
                        assert!(pane.bottom() <= panes.foot.y, "{context}");
                        assert!(pane.right() <= width, "{context}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_story_stands_beside_the_rest_if_there_is_room() {
        let wide = panes(120, 40, 2);
        assert!(wide.story.x > wide.nodes.right() && wide.story.y == wide.nodes.y);
        let narrow = panes(119, 40, 2);
        assert!(narrow.story.y > narrow.clients.y && narrow.story.x == 0);
        assert_eq!(narrow.nodes.height, 2);
    }
}
