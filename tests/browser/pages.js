// Steps on the demo storefront and on the hosted pages, by their texts.
import assert from 'node:assert/strict'
import { NEW_PASSWORD } from './service.js'

/** The headings of the hosted pages, in English. */
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
  restore: 'Undo the change of your email address?',
  restored: 'Your email address was restored',
  foreign: 'Please send the form again',
  notFound: 'There is no page here',
}

/** The field for a new password, on the hosted page and on the storefront's. */
export const newPassword = (page) => page.getByLabel('New password', { exact: true })

/** Requests a link on the demo storefront, and returns the mail's frame. */
export async function forgetPassword(page, email) {
  await page.goto('/')
  await page.getByRole('button', { name: 'Forgot password?' }).click()
  await page.getByLabel('E-mail').filter({ visible: true }).fill(email)
  await page.getByRole('button', { name: 'Send the link' }).click()
  await page.getByText('a mail with a link is on its way').waitFor()
  return page.locator('#mails details', { hasText: email }).first()
}

/** The button in a mail on the demo storefront; the link is also below it as text. */
export const buttonIn = (mail) => mail.frameLocator('iframe').locator('a[href*="/reset-password?"]').first()

/** Fills in and submits the form for a new password. */
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

/** Waits for the page's main heading. */
export async function heading(page, expected) {
  await page.getByRole('heading', { level: 1, name: expected }).waitFor()
}

/** Checks the error next to a field: it is announced, it describes the field, and the field has the focus. */
export async function errorAt(field, pattern) {
  // A browser shows the field a moment before it sets the focus.
  await field.and(field.page().locator('[aria-invalid=true]:focus')).waitFor()
  const ids = (await field.getAttribute('aria-describedby')).split(' ')
  const texts = await Promise.all(ids.map((id) => field.page().locator(`#${id}`).textContent()))
  assert.ok(texts.some((text) => pattern.test(text)), `${pattern} among ${JSON.stringify(texts)}`)
}
