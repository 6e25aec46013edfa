// The hosted pages work without scripts.
import assert from 'node:assert/strict'
import { browserTest } from './browser.js'
import { HOSTED, choosePassword, errorAt, heading, newPassword } from './pages.js'
import { NEW_PASSWORD, PASSWORD, canLogIn, newCustomer, resetLink } from './service.js'

browserTest('without JavaScript: the link, a refused password, another one', { javaScriptEnabled: false }, async ({ page }) => {
  const email = await newCustomer()
  await page.goto(await resetLink(email))
  await heading(page, HOSTED.form)
  // Long enough for the browser's check, so that the service refuses it.
  await choosePassword(page, email)
  await errorAt(newPassword(page), /password/i)
  assert.ok(await canLogIn(email, PASSWORD), 'nothing was changed')
  await choosePassword(page)
  await heading(page, HOSTED.done)
  assert.ok(await canLogIn(email, NEW_PASSWORD))
  assert.equal(await canLogIn(email, PASSWORD), false)
})
