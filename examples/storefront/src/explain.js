// Errors in the customer's words, each with the field that it belongs to.

const CALLS = {
  401: 'This session has ended. Please log in again.',
  429: 'Too many tries from here. Please wait a minute.',
  503: 'We have a lot to do right now. Please try again in a moment.',
}

/** Returns `{ field, text }` for an error of js-auth or the SDK; without a field it belongs to the whole form. */
export function explain(failure) {
  if (failure.error === 'invalid_grant') return { text: 'This e-mail and password don’t belong together.' }
  const [first] = failure.errors ?? []
  const field = first?.source?.pointer?.split('/').pop()
  switch (field) {
    case 'customer_email':
      return { field: 'email', text: 'This is not an e-mail address.' }
    case 'customer_password':
      return { field: 'password', text: `The password ${first.title}.` }
    case '_reset_password_token':
      return { dead: true, text: 'This link no longer works.' }
    default: {
      const status = Number(first?.status ?? failure.status)
      return { text: CALLS[status] ?? 'That did not work. Please try again.' }
    }
  }
}

/** Whether the session has ended. */
export function sessionHasEnded(failure) {
  return Number(failure.status ?? failure.errors?.[0]?.status) === 401
}
