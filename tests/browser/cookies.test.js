// The cookie of the reset page: browsers without cookies, restarted browsers, and browsers with another link's cookie.
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { browserTest, profileTest } from './browser.js'
import { HOSTED, choosePassword, heading } from './pages.js'
import { NEW_PASSWORD, PASSWORD, canLogIn, newCustomer, resetLink } from './service.js'

const BLOCKED = 2

profileTest('cookies off: the page says what to do', async ({ profile, open }) => {
  await mkdir(join(profile, 'Default'))
  const preferences = { profile: { default_content_setting_values: { cookies: BLOCKED } } }
  await writeFile(join(profile, 'Default', 'Preferences'), JSON.stringify(preferences))
  const { context, page } = await open()
  const answer = await page.goto(await resetLink(await newCustomer()))
  assert.deepEqual(await context.cookies(), [], 'this browser keeps none')
  assert.equal(answer.status(), 400)
  await heading(page, HOSTED.lost)
  await page.getByText('please allow cookies for it').waitFor()
  await page.getByRole('link', { name: 'Request a new link' }).click()
  await heading(page, HOSTED.forgot)
})

profileTest('a browser that is closed after the link was opened continues where it was', async ({ open }) => {
  const email = await newCustomer()
  const before = await open()
  await before.page.goto(await resetLink(email))
  await heading(before.page, HOSTED.form)
  const address = before.page.url()
  // Chromium saves cookies when it is closed.
  await before.context.close()
  const { page } = await open()
  await page.goto(address)
  await choosePassword(page)
  await heading(page, HOSTED.done)
  assert.ok(await canLogIn(email, NEW_PASSWORD))
})

browserTest('two customers\' links in two tabs: no form is taken for the other\'s', {}, async ({ context, page }) => {
  const [john, jane] = [await newCustomer(), await newCustomer()]
  const link = await resetLink(john)
  await page.goto(link)
  await heading(page, HOSTED.form)
  const second = await context.newPage()
  await second.goto(await resetLink(jane))
  await heading(second, HOSTED.form)
  await choosePassword(page)
  await heading(page, HOSTED.foreign)
  assert.deepEqual([await canLogIn(john, PASSWORD), await canLogIn(jane, PASSWORD)], [true, true])
  await page.goto(link)
  await page.getByText(`For the account ${john}`).waitFor()
  await choosePassword(page)
  await heading(page, HOSTED.done)
  assert.deepEqual([await canLogIn(john, NEW_PASSWORD), await canLogIn(jane, PASSWORD)], [true, true])
})

browserTest('after the new password, a reload and the way back tell that it is set', {}, async ({ page }) => {
  const email = await newCustomer()
  await page.goto(await resetLink(email))
  await choosePassword(page)
  await heading(page, HOSTED.done)
  await page.reload()
  await heading(page, HOSTED.done)
  await page.goto('/reset-password')
  await heading(page, HOSTED.dead)
  await page.getByText('Have you just chosen a new password?').waitFor()
  await page.reload()
  await heading(page, HOSTED.dead)
  assert.ok(await canLogIn(email, NEW_PASSWORD))
})
