// The page behind the link, as a shop writes its own: it sends back `id` and `token` of the link with the new password.
// Point the service's `links.reset_url_template` at it, and the mails lead here.
import { explain } from './explain.js'
import { onSubmit } from './form.js'
import { passwordLength, setPassword } from './service.js'

/** Shows the form to who came by a link. The token is used when the form is sent, not before: mail scanners open links, too. */
export function startNewPassword(link) {
  if (!link) return end('dead')
  const form = document.querySelector('#new-password')
  onSubmit(form, async ({ password }) => {
    try {
      await setPassword(link, password)
    } catch (failure) {
      if (!explain(failure).dead) throw failure
      return end('dead')
    }
    end('done')
  })
  form.hidden = false
  // Without it the page works all the same: who types too few is told so then.
  passwordLength().then((length) => {
    document.querySelector('#hint').prepend(`At least ${length} characters. `)
  }, () => {})
}

/** Shows how it went instead of the form, and lets screen readers begin there. */
function end(name) {
  document.querySelector('#new-password').hidden = true
  const ending = document.querySelector(`#${name}`)
  ending.hidden = false
  const title = ending.querySelector('h1')
  document.title = `${title.textContent} · Demo Shop`
  title.focus()
}
