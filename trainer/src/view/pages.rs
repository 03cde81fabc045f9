//! The files of the page, which are in the program. They load nothing from elsewhere, and the browser is told to see to it.

/// Path, media type, text.
const FILES: &[(&str, &str, &str)] = &[
    ("/", "text/html; charset=utf-8", include_str!("page/index.html")),
    ("/style.css", "text/css; charset=utf-8", include_str!("page/style.css")),
    ("/page.js", "text/javascript; charset=utf-8", include_str!("page/page.js")),
    ("/machines.js", "text/javascript; charset=utf-8", include_str!("page/machines.js")),
    ("/charts.js", "text/javascript; charset=utf-8", include_str!("page/charts.js")),
];

/// What the browser may do with them: nothing but talk to this server. The icon is in the page, as data.
pub(super) const SECURITY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                                   img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Media type and text of the file at a path.
pub(super) fn find(path: &str) -> Option<(&'static str, &'static str)> {
    let file = FILES.iter().find(|(own, ..)| *own == path)?;
    Some((file.1, file.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_all_that_it_names() {
        let (kind, html) = find("/").unwrap();
        assert!(kind.starts_with("text/html") && find("/other").is_none());
        for (path, _, text) in FILES {
            assert!(!text.contains("https://"), "{path} names another server");
            if *path != "/" && *path != "/machines.js" && *path != "/charts.js" {
                assert!(html.contains(&path[1..]), "{path} is not used");
            }
        }
    }
}
