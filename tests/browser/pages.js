// How customers get about: the demo storefront and the page behind the link, by what stands on them.
import assert from 'node:assert/strict'
import { NEW_PASSWORD } from './service.js'

/** The headings of the pages that Rekey serves, in English. */
export const HOSTED = {
  forgot: 'Forgot your password?',
  sent: 'Check your email',
  form: 'Choose a new password',
  done: 'Your password was changed',
  lost: 'Please open the link again',
  dead: 'This link no longer works',
  notMe: 'You did not request a new password?',
  disavowed: 'The link no longer works',
  misused: 'The link was already used',
  foreign: 'Please send the form again',
  notFound: 'There is no page here',
}

/** The field for a new password, on the hosted page and on the storefront's own. */
export const newPassword = (page) => page.getByLabel('New password', { exact: true })

/** Asks for a link on the demo storefront; the mail that lands beside it. */
export async function forgetPassword(page, email) {
  await page.goto('/')
  await page.getByRole('button', { name: 'Forgot password?' }).click()
  await page.getByLabel('E-mail').filter({ visible: true }).fill(email)
  await page.getByRole('button', { name: 'Send the link' }).click()
  await page.getByText('a mail with a link is on its way').waitFor()
  return page.locator('details', { hasText: email }).first()
}

/** The button in a mail on the demo storefront; its link stands below it once more. */
export const buttonIn = (mail) => mail.frameLocator('iframe').locator('a[href*="/reset-password?"]').first()

/** Fills in the form for a new password and sends it. */
export async function choosePassword(page, password = NEW_PASSWORD) {
  await newPassword(page).fill(password)
  await page.locator('button[type=submit]').filter({ visible: true }).click()
}

/** Logs in on the demo storefront, which may be open. */
export async function logIn(page, email, password) {
  await page.getByLabel('E-mail').filter({ visible: true }).fill(email)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Log in', exact: true }).click()
}

/** Opens the choice of languages, where there is one. */
export async function openChoices(page) {
  for (const choice of await page.locator('details.languages:not([open]) > summary').all()) await choice.click()
}

/** What the page's main heading says, once it does. */
export async function heading(page, expected) {
  await page.getByRole('heading', { level: 1, name: expected }).waitFor()
}

/** The error next to a field: it is announced, it describes the field, and the field gets the focus. */
export async function errorAt(field, pattern) {
  // A browser that loads a page with such a field shows it a moment before the focus is there.
  await field.and(field.page().locator('[aria-invalid=true]:focus')).waitFor()
  const ids = (await field.getAttribute('aria-describedby')).split(' ')
  const texts = await Promise.all(ids.map((id) => field.page().locator(`#${id}`).textContent()))
  assert.ok(texts.some((text) => pattern.test(text)), `${pattern} among ${JSON.stringify(texts)}`)
}
