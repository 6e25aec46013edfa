// The page behind the link, as a shop may write its own: it sends back `id` and `token` of the link with the new password.
// With the service's `links.reset_url_template` set to it, the link in the mails leads here.
import { explain } from './explain.js'
import { onSubmit } from './form.js'
import { passwordLength, setPassword } from './service.js'

/** Shows the form if the page was opened by a link. The token is used when the form is sent, not before: mail scanners open links, too. */
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
  // The page also works without it: a password that is too short is refused with the same number.
  passwordLength().then((length) => {
    document.querySelector('#hint').prepend(`At least ${length} characters. `)
  }, () => {})
}

/** Shows the result instead of the form, and moves the focus there for screen readers. */
function end(name) {
  document.querySelector('#new-password').hidden = true
  const ending = document.querySelector(`#${name}`)
  ending.hidden = false
  const title = ending.querySelector('h1')
  document.title = `${title.textContent} · Demo Shop`
  title.focus()
}
