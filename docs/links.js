// mdBook copies nothing from outside docs/ and takes every .md for a page. A link out of docs/ leads here to the file in the clone
// that the book was built in: it lies in target/book/.
for (const link of document.querySelectorAll('main a[href^="../"]')) {
  link.href = '../' + link.getAttribute('href').replace(/\.html(?=#|$)/, '.md');
}
