// Short codes: a customer reads the mail on another device, and types the code into the page of the request.
import assert from 'node:assert/strict'
import { browserTest } from './browser.js'
import { HOSTED, choosePassword, errorAt, heading } from './pages.js'
import { NEW_PASSWORD, canLogIn, linkOf, mailTo, newCustomer } from './service.js'

const codeField = (page) => page.getByLabel('Code from the email', { exact: true })
const codeOf = (mail) => mail.text.match(/^\s*([A-Z0-9]{4}-[A-Z0-9]{4})\s*$/m)[1]

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? 'with JavaScript' : 'without JavaScript'
  browserTest(`the code from the mail is as good as its link, ${how}`, { javaScriptEnabled }, async ({ page }) => {
    const email = await newCustomer()
    await askFor(page, email)
    const typed = codeOf(await mailTo(email)).toLowerCase().replace('-', ' ')
    await send(page, typed)
    await heading(page, HOSTED.form)
    assert.ok(!page.url().includes('token='), page.url())
    await choosePassword(page)
    await heading(page, HOSTED.done)
    assert.ok(await canLogIn(email, NEW_PASSWORD))
  })
}

browserTest('a wrong code is refused next to its field, alike for known and unknown addresses', {}, async ({ page }) => {
  const shown = []
  for (const email of ['nobody-at-all@example.com', await newCustomer()]) {
    await askFor(page, email)
    await send(page, 'CDFH-JKMN')
    await errorAt(codeField(page), /code/)
    shown.push(await page.locator('main').innerText())
  }
  assert.equal(shown[1], shown[0])
})

browserTest('guesses beyond the budget kill the code and leave the link', {}, async ({ page }) => {
  const email = await newCustomer()
  await askFor(page, email)
  const mail = await mailTo(email)
  for (let guess = 0; guess < 10; guess += 1) {
    await send(page, 'CDFH-JKMN')
    await errorAt(codeField(page), /code/)
  }
  await send(page, codeOf(mail))
  await errorAt(codeField(page), /code/)
  await page.goto(linkOf(mail))
  await heading(page, HOSTED.form)
})

async function askFor(page, email) {
  await page.goto('/forgot-password')
  await page.getByLabel('Email address', { exact: true }).fill(email)
  await page.locator('button[type=submit]').click()
  await heading(page, HOSTED.sent)
}

async function send(page, code) {
  await codeField(page).fill(code)
  await page.getByRole('button', { name: 'Continue' }).click()
}
