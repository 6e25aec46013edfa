// The whole flow by keyboard only, with the focus always visible.
import assert from 'node:assert/strict'
import { browserTest } from './browser.js'
import { assertVisible, isFocused, tabTo } from './focus.js'
import { HOSTED, buttonIn, forgetPassword, heading, newPassword } from './pages.js'
import { NEW_PASSWORD, canLogIn, newCustomer, resetLink } from './service.js'

browserTest('keyboard only: from the demo storefront to the new password', {}, async ({ context, page }) => {
  const email = await newCustomer()
  await page.goto('/')
  await tabTo(page, page.getByRole('button', { name: 'Forgot password?' }))
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Forgot your password?' }).waitFor()
  await tabTo(page, page.getByLabel('E-mail').filter({ visible: true }))
  await page.keyboard.press('Control+A')
  await page.keyboard.type(email)
  await page.keyboard.press('Enter')
  const mail = page.locator('details', { hasText: email })
  await tabTo(page, buttonIn(mail))
  const opened = context.waitForEvent('page')
  await page.keyboard.press('Enter')
  const hosted = await opened
  await heading(hosted, HOSTED.form)
  await choose(hosted)
  await heading(hosted, HOSTED.done)
  assert.ok(await canLogIn(email, NEW_PASSWORD))
})

browserTest('keyboard only: the storefront\'s own page, its password shown and hidden', {}, async ({ page }) => {
  const email = await newCustomer()
  await page.goto(`/new-password${new URL(await resetLink(email)).search}`)
  await tabTo(page, page.getByRole('button', { name: 'Show password' }))
  await page.keyboard.press('Space')
  assert.equal(await newPassword(page).getAttribute('type'), 'text')
  await page.keyboard.press('Enter')
  assert.equal(await newPassword(page).getAttribute('type'), 'password')
  await page.keyboard.press('Shift+Tab')
  await page.keyboard.type(NEW_PASSWORD)
  await page.keyboard.press('Enter')
  await heading(page, 'Your password was changed')
  await tabTo(page, page.getByRole('link', { name: 'Log in' }))
})

browserTest('keyboard only: the focus goes along when the storefront shows something else', {}, async ({ page }) => {
  await forgetPassword(page, await newCustomer())
  const focused = await page.evaluate(() => document.activeElement.textContent)
  assert.equal(focused, 'Look into your mailbox')
})

/** Types a new password on the reset page, wherever the focus is at first. */
async function choose(page) {
  const field = newPassword(page)
  if (!(await isFocused(field))) await tabTo(page, field)
  await assertVisible(field)
  await page.keyboard.type(NEW_PASSWORD)
  await page.keyboard.press('Enter')
}
