// /forgot-password, for shops without a page of their own.
import assert from 'node:assert/strict'
import { browserTest } from './browser.js'
import { HOSTED, choosePassword, errorAt, heading, logIn } from './pages.js'
import { NEW_PASSWORD, PASSWORD, canLogIn, linkOf, mailTo, mailsTo, newCustomer, resetLink } from './service.js'

const emailField = (page) => page.getByLabel('Email address', { exact: true })

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? 'with JavaScript' : 'without JavaScript'
  browserTest(`the hosted pages alone, ${how}: from the forgotten password to the new one`, { javaScriptEnabled }, async ({ page }) => {
    const email = await newCustomer()
    await page.goto('/forgot-password')
    await heading(page, HOSTED.forgot)
    await ask(page, email)
    await heading(page, HOSTED.sent)
    await page.goto(linkOf(await mailTo(email)))
    await choosePassword(page)
    await heading(page, HOSTED.done)
    assert.ok(await canLogIn(email, NEW_PASSWORD))
    assert.equal(await canLogIn(email, PASSWORD), false)
  })

  browserTest(`the hosted pages, ${how}: errors are next to the field, which has the focus`, { javaScriptEnabled }, async ({ page }) => {
    await page.goto('/forgot-password')
    await ask(page, '')
    await errorAt(emailField(page), /enter your email address/)
    await ask(page, 'nobody at example')
    await errorAt(emailField(page), /in the form/)
    assert.equal(await emailField(page).inputValue(), 'nobody at example', 'what was typed is still there')
    await page.goto(await resetLink(await newCustomer()))
    await choosePassword(page, '')
    await errorAt(page.getByLabel('New password', { exact: true }), /enter a new password/)
    assert.match(await page.title(), /^Error/, 'who reads the page aloud hears of it first')
  })
}

browserTest('the hosted pages lead back to the shop, where the new password is good', {}, async ({ page }) => {
  const email = await newCustomer()
  await page.goto(await resetLink(email))
  await choosePassword(page)
  await heading(page, HOSTED.done)
  await page.getByRole('link', { name: 'Log in' }).click()
  await logIn(page, email, NEW_PASSWORD)
  await page.getByText(`You are logged in as ${email}`).waitFor()
})

browserTest('a dead link leads to the form for another one', {}, async ({ page }) => {
  const email = await newCustomer()
  const link = await resetLink(email)
  await page.goto(link)
  await choosePassword(page)
  await heading(page, HOSTED.done)
  await page.goto(link)
  await heading(page, HOSTED.dead)
  await page.getByRole('link', { name: 'Request a new link' }).click()
  await heading(page, HOSTED.forgot)
  await ask(page, email)
  await heading(page, HOSTED.sent)
  // The first mail, the notification of the change, and this one.
  await page.goto(linkOf(await mailTo(email, 3)))
  await choosePassword(page, PASSWORD)
  await heading(page, HOSTED.done)
  assert.ok(await canLogIn(email, PASSWORD))
})

browserTest('enum-body: the hosted page says the same of an unknown address', {}, async ({ page }) => {
  const [unknown, known] = ['nobody-here-either@example.com', await newCustomer()]
  const shown = []
  for (const email of [unknown, known]) {
    await page.goto('/forgot-password')
    await ask(page, email)
    await heading(page, HOSTED.sent)
    shown.push([page.url(), await page.content()])
  }
  assert.deepEqual(shown[1], shown[0])
  await mailTo(known)
  assert.deepEqual(await mailsTo(unknown), [])
})

browserTest('a reload of the page after the form asks for nothing again', {}, async ({ page }) => {
  const email = await newCustomer()
  await page.goto('/forgot-password')
  await ask(page, email)
  await heading(page, HOSTED.sent)
  await mailTo(email)
  await page.reload()
  await heading(page, HOSTED.sent)
  await resetLink(await newCustomer())
  assert.equal((await mailsTo(email)).length, 1)
})

browserTest('password managers find the page by its well-known address', {}, async ({ page }) => {
  await page.goto('/.well-known/change-password')
  await heading(page, HOSTED.forgot)
})

async function ask(page, email) {
  await emailField(page).fill(email)
  await page.locator('button[type=submit]').click()
}
