// Mail scanners open every link before the customer does, some with a real browser.
import assert from 'node:assert/strict'
import { browserTest } from './browser.js'
import { HOSTED, choosePassword, heading } from './pages.js'
import { NEW_PASSWORD, PASSWORD, canLogIn, newCustomer, resetLink } from './service.js'

const TIMES = 50

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? 'with JavaScript' : 'without JavaScript'
  browserTest(`scanner: GET and HEAD of the link ${TIMES} times, ${how}, and the token still works`, { javaScriptEnabled }, async ({ context, page }) => {
    const email = await newCustomer()
    const link = await resetLink(email)
    for (let time = 0; time < TIMES; time += 1) {
      await context.clearCookies()
      const head = await context.request.head(link)
      assert.equal(head.status(), 200)
      await page.goto(link)
      await heading(page, HOSTED.form)
    }
    assert.ok(await canLogIn(email, PASSWORD))
    await context.clearCookies()
    await page.goto(link)
    await choosePassword(page)
    await heading(page, HOSTED.done)
    assert.ok(await canLogIn(email, NEW_PASSWORD))
  })
}

browserTest('scanner: the storefront\'s own page uses no token before its form is sent', {}, async ({ page, requests }) => {
  const email = await newCustomer()
  const { search } = new URL(await resetLink(email))
  for (let time = 0; time < 5; time += 1) {
    await page.goto(`/new-password${search}`)
    await heading(page, 'Choose a new password')
  }
  // It reads the password policy as a guest; the link's token is not sent yet.
  const token = new URLSearchParams(search).get('token')
  const carries = (request) => !request.isNavigationRequest() && (request.url() + (request.postData() ?? '')).includes(token)
  const sent = () => requests.filter(carries).map((request) => request.method())
  assert.deepEqual(sent(), [])
  await choosePassword(page)
  await heading(page, 'Your password was changed')
  assert.deepEqual(sent(), ['PATCH'])
})
