// Links that were used, opened twice, replaced or have expired. The last kind needs a minute, so this file's name is late in the alphabet.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { browserTest } from './browser.js'
import { HOSTED, choosePassword, forgetPassword, heading } from './pages.js'
import { NEW_PASSWORD, canLogIn, eventually, expiring, linkOf, mailsTo, newCustomer, resetLink } from './service.js'

browserTest('a used link', {}, async ({ page }) => {
  const email = await newCustomer()
  const link = await resetLink(email)
  await page.goto(link)
  await choosePassword(page)
  await heading(page, HOSTED.done)
  const answer = await page.goto(link)
  assert.equal(answer.status(), 410)
  await heading(page, HOSTED.dead)
  assert.equal(await page.locator('input[type=password]').count(), 0)
})

browserTest('a link in two tabs: the second form comes too late', {}, async ({ context, page }) => {
  const email = await newCustomer()
  const link = await resetLink(email)
  const second = await context.newPage()
  for (const tab of [page, second]) {
    await tab.goto(link)
    await heading(tab, HOSTED.form)
  }
  await choosePassword(page)
  await heading(page, HOSTED.done)
  await choosePassword(second, 'another one that is too late')
  await heading(second, HOSTED.dead)
  assert.ok(await canLogIn(email, NEW_PASSWORD))
})

browserTest('a form that is sent once more, by going back', {}, async ({ page }) => {
  const email = await newCustomer()
  await page.goto(await resetLink(email))
  await choosePassword(page)
  await heading(page, HOSTED.done)
  await page.goBack()
  if (await page.locator('input[type=password]').count()) await choosePassword(page, 'another one that is too late')
  await heading(page, HOSTED.dead)
  assert.ok(await canLogIn(email, NEW_PASSWORD))
})

browserTest('a link that a newer one has replaced', {}, async ({ page }) => {
  const email = await newCustomer()
  const links = []
  for (const n of [1, 2]) {
    await forgetPassword(page, email)
    const mails = await eventually(`mail ${n} to ${email}`, async () => {
      const mails = await mailsTo(email)
      return mails.length === n && mails
    })
    links.push(linkOf(mails[0]))
  }
  await page.goto(links[0])
  await heading(page, HOSTED.dead)
  await page.goto(links[1])
  await choosePassword(page)
  await heading(page, HOSTED.done)
})

const { origin } = new URL(expiring.link)
browserTest('an expired link', { elsewhere: [origin] }, async ({ page }) => {
  await sleep(Math.max(0, expiring.until - Date.now()))
  const answer = await page.goto(expiring.link)
  assert.equal(answer.status(), 410)
  await heading(page, HOSTED.dead)
})
