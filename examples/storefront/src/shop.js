// The shop: log in, log out, request a new password.
import { sessionHasEnded } from './explain.js'
import { clear, onSubmit } from './form.js'
import { begin, finish, step } from './guide.js'
import { watchMailbox } from './mailbox.js'
import { askForLink, forgetSession, logIn, logOut, loggedIn, settings } from './service.js'
import { watchWebhooks } from './webhooks.js'

const VIEWS = ['log-in', 'forgot', 'sent', 'account']
const byId = (id) => document.getElementById(id)

/** The address whose mails concern this page: the last one that requested a link or tried to log in here. */
let customer = settings.customer.email

export function startShop() {
  for (const field of document.querySelectorAll('input[name=email]')) field.value ||= customer
  byId('first-password').textContent = settings.customer.password

  onSubmit(byId('log-in'), async ({ email, password }) => {
    customer = email
    await logIn(email, password)
    finish()
    await showAccount()
  })
  onSubmit(byId('forgot'), async ({ email }) => {
    customer = email
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
  watchMailbox({ concerns: (mail) => mail.to === customer.toLowerCase(), found, arrived })
  if (settings.webhooks) watchWebhooks()
  else byId('back-end').hidden = true
  show(location.hash === '#forgot' ? 'forgot' : 'log-in', { focus: false })
}

/** The last mail before this page was opened shows which step the customer has done elsewhere, such as on the page behind the link. */
function found({ link }) {
  step(link ? 'choose' : 'log-in')
}

/** Handles a new mail to this customer: one without a link is the notice of a new password. */
async function arrived({ link }) {
  if (link) return
  step('log-in')
  // A new password ends every session, also this one: the next call is a 401.
  const ended = await loggedIn().then(() => false, sessionHasEnded)
  if (ended) await forgetSession()
  if (!ended && byId('sent').hidden) return
  // The focus stays if it is somewhere else on the page.
  show('log-in', { focus: byId('shop').contains(document.activeElement) })
  byId('notice').textContent = `The password was changed${ended ? ', and you were logged out' : ''}. Log in with the new one.`
}

async function showAccount() {
  const { email, created_at } = await loggedIn()
  byId('customer').textContent = email
  byId('since').textContent = new Date(created_at).toLocaleDateString('en', { dateStyle: 'long' })
  show('account')
}

/** Shows one view, without earlier input; the focus moves to it, for keyboards and screen readers. */
function show(view, { focus = true } = {}) {
  byId('notice').textContent = ''
  for (const id of VIEWS) {
    clear(byId(id), { passwords: true })
    byId(id).hidden = id !== view
  }
  if (focus) byId(view).querySelector('h2').focus()
}
