// Fields for password managers, which other customers don't notice.
import assert from 'node:assert/strict'
import { browserTest } from './browser.js'
import { HOSTED, heading, newPassword } from './pages.js'
import { NEW_PASSWORD, canLogIn, newCustomer, resetLink } from './service.js'

browserTest('password managers: the hosted page says whose new password it is', {}, async ({ page }) => {
  const email = await newCustomer()
  await page.goto(await resetLink(email))
  const username = page.locator('input[autocomplete=username]')
  assert.equal(await username.inputValue(), email)
  assert.ok(await username.evaluate((input, field) => input.form === field.form, await newPassword(page).elementHandle()))
  assert.equal(await newPassword(page).getAttribute('autocomplete'), 'new-password')
  // Screen readers and the keyboard skip it.
  assert.deepEqual([await username.getAttribute('aria-hidden'), await username.getAttribute('tabindex')], ['true', '-1'])
})

browserTest('password managers: the storefront\'s fields', {}, async ({ page }) => {
  await page.goto('/')
  const kinds = await page.locator('#log-in input').evaluateAll((inputs) => inputs.map((input) => input.autocomplete))
  assert.deepEqual(kinds, ['username', 'current-password'])
  await page.goto(`/new-password${new URL(await resetLink(await newCustomer())).search}`)
  await heading(page, 'Choose a new password')
  assert.equal(await newPassword(page).getAttribute('autocomplete'), 'new-password')
})

for (const path of ['/reset-password', '/new-password']) {
  browserTest(`password managers: a password can be pasted on ${path}`, { permissions: ['clipboard-read', 'clipboard-write'] }, async ({ page }) => {
    const email = await newCustomer()
    await page.goto(path + new URL(await resetLink(email)).search)
    await heading(page, HOSTED.form)
    await page.evaluate((text) => navigator.clipboard.writeText(text), NEW_PASSWORD)
    await newPassword(page).focus()
    await page.keyboard.press('Control+V')
    assert.equal(await newPassword(page).inputValue(), NEW_PASSWORD)
    await page.keyboard.press('Enter')
    await heading(page, HOSTED.done)
    assert.ok(await canLogIn(email, NEW_PASSWORD))
  })
}

browserTest('a password can be shown and hidden; without JavaScript the button is not there', {}, async ({ context, page }) => {
  for (const path of ['/reset-password', '/new-password']) {
    await page.goto(path + new URL(await resetLink(await newCustomer())).search)
    const field = newPassword(page)
    await field.fill(NEW_PASSWORD)
    const show = page.getByRole('button', { name: 'Show password' })
    await show.click()
    assert.deepEqual([await field.getAttribute('type'), await show.getAttribute('aria-pressed')], ['text', 'true'])
    await show.click()
    assert.deepEqual([await field.getAttribute('type'), await show.getAttribute('aria-pressed')], ['password', 'false'])
    assert.equal(await field.inputValue(), NEW_PASSWORD)
  }
  const plain = await context.browser().newContext({ javaScriptEnabled: false })
  const other = await plain.newPage()
  await other.goto(await resetLink(await newCustomer()))
  await newPassword(other).waitFor()
  assert.equal(await other.locator('button:visible').count(), 1)
  await plain.close()
})
