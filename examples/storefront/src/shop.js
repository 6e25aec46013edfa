// The shop: log in, log out, ask for a new password.
import { sessionHasEnded } from './explain.js'
import { onSubmit } from './form.js'
import { begin, finish, step } from './guide.js'
import { watchMailbox } from './mailbox.js'
import { askForLink, forgetSession, logIn, logOut, loggedIn, settings } from './service.js'

const VIEWS = ['log-in', 'forgot', 'sent', 'account']
const byId = (id) => document.getElementById(id)

export function startShop() {
  for (const field of document.querySelectorAll('input[name=email]')) field.value ||= settings.customer.email
  byId('first-password').textContent = settings.customer.password

  onSubmit(byId('log-in'), async ({ email, password }) => {
    await logIn(email, password)
    byId('log-in').elements.password.value = ''
    finish()
    await showAccount()
  })
  onSubmit(byId('forgot'), async ({ email }) => {
    await askForLink(email)
    byId('sent-to').textContent = email
    step('choose')
    show('sent')
  })
  onSubmit(byId('account'), async () => {
    await logOut()
    begin()
    show('log-in')
  })
  for (const button of document.querySelectorAll('[data-view]')) {
    button.addEventListener('click', () => show(button.dataset.view))
  }
  watchMailbox(async (mail) => {
    if (mail.link) return
    step('log-in')
    // A new password ends every session, this one, too: the next call tells so.
    const ended = await loggedIn().then(() => false, sessionHasEnded)
    if (ended) await forgetSession()
    if (ended || !byId('sent').hidden) {
      show('log-in', { focus: false })
      byId('notice').textContent = `The password was changed${ended ? ', and you were logged out' : ''}. Log in with the new one.`
    }
  })
  show(location.hash === '#forgot' ? 'forgot' : 'log-in', { focus: false })
}

async function showAccount() {
  const customer = await loggedIn()
  byId('customer').textContent = customer.email
  byId('since').textContent = new Date(customer.created_at).toLocaleDateString('en', { dateStyle: 'long' })
  show('account')
}

/** Shows one view; the focus goes along, or keyboards and screen readers would be left behind. */
function show(view, { focus = true } = {}) {
  byId('notice').textContent = ''
  for (const id of VIEWS) byId(id).hidden = id !== view
  if (focus) byId(view).querySelector('h2').focus()
}
