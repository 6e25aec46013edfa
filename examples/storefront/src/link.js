// What the link in the mail carried. Imported before all else, so that the token leaves the URL before anything is asked of
// anybody: from then on it is in no address bar, no history and no Referer.

const query = new URLSearchParams(location.search)

/** The reset's id and its token; null where the page was not opened by a link. */
export const link = query.has('id') && query.has('token') ? { id: query.get('id'), token: query.get('token') } : null

if (link) history.replaceState(null, '', location.pathname)
