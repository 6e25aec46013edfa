// The whole flow by mouse, from the demo storefront through the mailbox to the new password.
import assert from 'node:assert/strict'
import { browserTest } from './browser.js'
import { HOSTED, buttonIn, choosePassword, errorAt, forgetPassword, heading, logIn, newPassword } from './pages.js'
import { NEW_PASSWORD, PASSWORD, canLogIn, eventually, mailTo, mailsTo, newCustomer, resetLink, url } from './service.js'

browserTest('by the page that the mail leads to', {}, async ({ context, page }) => {
  const email = await newCustomer()
  const mail = await forgetPassword(page, email)
  await webhookArrives(page, 'customer_password_resets.create', email)
  const opened = context.waitForEvent('page')
  await buttonIn(mail).click()
  const hosted = await opened
  await heading(hosted, HOSTED.form)
  assert.equal(new URL(hosted.url()).pathname, '/reset-password')
  await choosePassword(hosted)
  await heading(hosted, HOSTED.done)

  await page.bringToFront()
  await page.getByText('The password was changed. Log in with the new one.').waitFor()
  await logIn(page, email, PASSWORD)
  await page.getByRole('alert').filter({ hasText: 'don’t belong together' }).waitFor()
  await logIn(page, email, NEW_PASSWORD)
  await page.getByText(`You are logged in as ${email}`).waitFor()
  assert.equal(await page.locator('#guide li.done').count(), 3, 'every step of the guide is done')
  await page.getByText('That was all of it.').waitFor()
  await webhookArrives(page, 'customer_password_resets.reset_password', email)
})

/** Waits until the page shows that a webhook's request about a customer was received and verified, and opens its body. */
async function webhookArrives(page, topic, email) {
  const isAbout = ({ topic: its, body }) => its === topic && body.includes(email)
  const { event, verified } = await eventually(`${topic} about ${email}`, async () => {
    return (await (await fetch(`${url}/dev/webhooks.json`)).json()).find(isAbout)
  })
  assert.ok(verified)
  const request = page.locator('#requests details', { hasText: event })
  await request.getByText('signature verified').waitFor()
  assert.ok((await request.locator('summary').textContent()).includes(topic))
  assert.equal(await request.locator('pre').textContent(), '', 'the body is shown on demand')
  await request.locator('summary').click()
  const body = JSON.parse(await request.locator('pre', { hasText: email }).textContent())
  assert.deepEqual([body.data.attributes.customer_email, body.data.attributes.reset_password_token], [email, null])
}

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? 'with JavaScript' : 'without JavaScript'
  browserTest(`a double click on the button succeeds, ${how}`, { javaScriptEnabled }, async ({ page }) => {
    const email = await newCustomer()
    await page.goto(await resetLink(email))
    await heading(page, HOSTED.form)
    await newPassword(page).fill(NEW_PASSWORD)
    await page.locator('button[type=submit]').dblclick()
    await heading(page, HOSTED.done)
    assert.ok(await canLogIn(email, NEW_PASSWORD))
    await page.reload()
    await heading(page, HOSTED.done)
  })
}

browserTest('by the storefront\'s own page', {}, async ({ context, page }) => {
  const email = await newCustomer()
  const mail = await forgetPassword(page, email)
  const opened = context.waitForEvent('page')
  await mail.getByRole('link', { name: 'the shop’s own' }).click()
  const own = await opened
  await heading(own, 'Choose a new password')
  assert.ok(own.url().endsWith('/new-password'), `the token has left the address: ${own.url()}`)
  const hint = own.locator('#hint', { hasText: 'At least' })
  await hint.waitFor()
  assert.equal((await hint.textContent()).match(/At least 8 characters/g).length, 1, 'the length is shown once')
  await choosePassword(own, 'short')
  await errorAt(newPassword(own), /too short/)
  await choosePassword(own)
  await heading(own, 'Your password was changed')
  await own.getByRole('link', { name: 'Log in' }).click()
  await logIn(own, email, PASSWORD)
  await own.getByRole('alert').filter({ hasText: 'don’t belong together' }).waitFor()
  await logIn(own, email, NEW_PASSWORD)
  await own.getByText(`You are logged in as ${email}`).waitFor()
})

browserTest('who comes back from the page behind the link, in another tab, finds the guide where they are', {}, async ({ page }) => {
  const email = await newCustomer()
  await page.route('**/dev/shop.json', async (route) => {
    const settings = await (await route.fetch()).json()
    await route.fulfill({ json: { ...settings, customer: { ...settings.customer, email } } })
  })
  const next = (name) => page.locator('#guide li[aria-current=step]', { hasText: name }).waitFor()
  await page.goto('/')
  await next('Ask')
  const link = await resetLink(email)
  await page.goto('/')
  await next('Choose')
  await page.goto(link)
  await choosePassword(page)
  await heading(page, HOSTED.done)
  await mailTo(email, 2)
  await page.getByRole('link', { name: 'Log in' }).click()
  await next('Log in')
})

browserTest('the storefront\'s own page: a used link, no link, and a way to ask again', {}, async ({ page }) => {
  const email = await newCustomer()
  const { search } = new URL(await resetLink(email))
  await page.goto(`/new-password${search}`)
  await choosePassword(page)
  await heading(page, 'Your password was changed')
  await page.goto(`/new-password${search}`)
  await choosePassword(page, 'yet another password')
  await heading(page, 'This link no longer works')
  await page.goto('/new-password')
  await heading(page, 'This link no longer works')
  await page.getByRole('link', { name: 'Ask for a new link' }).click()
  await page.getByRole('heading', { name: 'Forgot your password?' }).waitFor()
  assert.ok(await canLogIn(email, NEW_PASSWORD))
})

browserTest('the log-in comes back fresh: without the password that was refused, and without the refusal', {}, async ({ page }) => {
  const email = await newCustomer()
  await page.goto('/')
  await logIn(page, email, 'not the password')
  await page.getByRole('alert').filter({ hasText: 'don’t belong together' }).waitFor()
  await page.getByRole('button', { name: 'Forgot password?' }).click()
  await page.getByRole('button', { name: 'Back to log-in' }).filter({ visible: true }).click()
  await page.getByRole('heading', { name: 'Log in' }).waitFor()
  assert.equal(await page.getByLabel('Password', { exact: true }).inputValue(), '')
  assert.deepEqual((await page.getByRole('alert').allTextContents()).filter(Boolean), [])
})

browserTest('logging out ends the session; a new password ends it from elsewhere', {}, async ({ context, page }) => {
  const email = await newCustomer()
  await page.goto('/')
  await logIn(page, email, PASSWORD)
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.getByRole('heading', { name: 'Log in' }).waitFor()
  await logIn(page, email, PASSWORD)
  await page.getByText(`You are logged in as ${email}`).waitFor()

  const elsewhere = await context.newPage()
  await elsewhere.goto(await resetLink(email))
  await choosePassword(elsewhere)
  await heading(elsewhere, HOSTED.done)
  await page.bringToFront()
  await page.getByText('The password was changed, and you were logged out.').waitFor()
})

browserTest('an unknown address: the same words, and no mail', {}, async ({ page }) => {
  const [unknown, known] = ['nobody-at-all@example.com', await newCustomer()]
  const shown = []
  for (const email of [unknown, known]) {
    await forgetPassword(page, email)
    shown.push((await page.locator('#sent').textContent()).replace(email, 'EMAIL'))
  }
  assert.equal(shown[1], shown[0])
  // Requests are handled in order.
  await mailTo(known)
  assert.deepEqual(await mailsTo(unknown), [])
})

browserTest('an open mail stays next to the shop, however many mails to others arrive at the same time', {}, async ({ page }) => {
  const email = await newCustomer()
  const mail = await forgetPassword(page, email)
  await buttonIn(mail).waitFor()
  let last
  for (let other = 0; other < 8; other += 1) last = await resetLink(await newCustomer())
  const { search } = new URL(last)
  await page.locator(`#mails a.own[href="/new-password${search}"]`).waitFor({ state: 'attached' })
  await buttonIn(mail).waitFor()
  assert.ok((await page.locator('#mails details').count()) <= 7, 'the others make room for each other')
})
