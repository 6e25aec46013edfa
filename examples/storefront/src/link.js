// The link in the mail. Imported before everything else, so that the token leaves the URL before any request: from then on it
// is in no address bar, no history and no Referer.

const query = new URLSearchParams(location.search)

/** The reset's id and its token; null if the page was not opened by a link. */
export const link = query.has('id') && query.has('token') ? { id: query.get('id'), token: query.get('token') } : null

if (link) history.replaceState(null, '', location.pathname)
