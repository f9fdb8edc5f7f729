// Deep links: `#t=1.2034s&client=17` is an instant and a client, with `span=50ms` how much around
// it is in view.

function readLink(hash) {
  const link = { clients: [] };
  for (const part of hash.replace(/^#/, "").split("&")) {
    const [key, value = ""] = part.split("=").map(decoded);
    if (key === "t") link.at = parsedTime(value);
    if (key === "span") link.span = parsedTime(value);
    if (key === "client" && value) link.clients.push(value);
  }
  return link;
}

/** A link that somebody has cut off or mistyped is still a link. */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function writtenLink(at, span, clients) {
  const names = clients.map((name) => "&client=" + encodeURIComponent(name).replaceAll("%2F", "/"));
  return `#t=${seconds(at, 1)}&span=${lasting(span).replace(" ", "").replace("µ", "u")}${names.join("")}`;
}
