// What a hostile page, a log or the next person at this computer could get hold of.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { browserTest } from './browser.js'
import { HOSTED, choosePassword, heading } from './pages.js'
import { NEW_PASSWORD, PASSWORD, canLogIn, newCustomer, resetLink, url } from './service.js'

browserTest('page-leak: the headers of every page on the way', {}, async ({ page, requests }) => {
  const link = await resetLink(await newCustomer())
  await page.goto(link)
  await choosePassword(page)
  await heading(page, HOSTED.done)
  await page.goto(link)
  await heading(page, HOSTED.dead)
  for (const request of requests.filter((request) => request.isNavigationRequest())) {
    const headers = await (await request.response()).allHeaders()
    const policy = headers['content-security-policy']
    assert.match(policy, /default-src 'none'/)
    assert.match(policy, /frame-ancestors 'none'/)
    assert.doesNotMatch(policy, /unsafe-|\*|https?:/)
    assert.equal(headers['referrer-policy'], 'no-referrer')
    assert.match(headers['cache-control'], /no-store/)
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers['x-frame-options'], 'DENY')
  }
})

for (const path of ['/reset-password', '/new-password']) {
  browserTest(`page-leak: the token has left the address bar and the history of ${path}`, {}, async ({ context, page, requests }) => {
    const { search, searchParams } = new URL(await resetLink(await newCustomer()))
    const token = searchParams.get('token')
    await page.goto(path + search)
    await heading(page, 'Choose a new password')
    assert.equal(new URL(page.url()).pathname, path)
    assert.ok(!page.url().includes(token), page.url())
    const { entries } = await (await context.newCDPSession(page)).send('Page.getNavigationHistory')
    assert.deepEqual(entries.map((entry) => entry.url), ['about:blank', page.url()])
    assert.ok(!(await page.content()).includes(token), 'the page does not show it')
    assert.deepEqual(await page.evaluate(() => [document.cookie, localStorage.length, sessionStorage.length]), ['', 0, 0])
    await choosePassword(page)
    await heading(page, HOSTED.done)
    const [first, ...later] = requests
    assert.ok(first.url().includes(token))
    for (const request of later) {
      const { referer = '' } = await request.allHeaders()
      assert.ok(!request.url().includes(token) && !referer.includes(token), request.url())
    }
  })
}

browserTest('page-leak: the cookie with the token is for the page alone', {}, async ({ context, page }) => {
  await page.goto(await resetLink(await newCustomer()))
  await heading(page, HOSTED.form)
  const [cookie, ...others] = await context.cookies()
  assert.deepEqual(others, [])
  assert.deepEqual([cookie.httpOnly, cookie.sameSite, cookie.path], [true, 'Lax', '/reset-password'])
  await choosePassword(page)
  await heading(page, HOSTED.done)
  assert.deepEqual(await context.cookies(), [], 'it goes with the token')
})

const HOSTILE = `<!doctype html><title>hostile</title>
  <form method="post" action="${url}/reset-password"><input name="password" value="${NEW_PASSWORD}"></form>
  <iframe src="${url}/reset-password"></iframe>`

// Another site, and another origin of the same site, to which a browser gives cookies along.
for (const host of ['localhost', '127.0.0.1']) {
  const hostile = createServer((_, answer) => answer.setHeader('content-type', 'text/html').end(HOSTILE))
  const port = await new Promise((resolve) => hostile.listen(0, '127.0.0.1', () => resolve(hostile.address().port)))
  hostile.unref()
  const origin = `http://${host}:${port}`

  browserTest(`page-leak: a POST from ${host}, another origin, is refused`, { elsewhere: [origin] }, async ({ page }) => {
    const email = await newCustomer()
    const link = await resetLink(email)
    await page.goto(link)
    await heading(page, HOSTED.form)
    await page.goto(origin)
    const answered = page.waitForResponse((response) => response.request().method() === 'POST')
    await page.evaluate(() => document.forms[0].submit())
    const answer = await answered
    assert.ok([403, 410].includes(answer.status()), `${answer.status()}`)
    assert.ok(await canLogIn(email, PASSWORD))
    await page.goto(link)
    await choosePassword(page)
    await heading(page, HOSTED.done)
  })

  browserTest(`page-leak: ${host}, another origin, can't frame the page`, { elsewhere: [origin] }, async ({ page }) => {
    const refusal = page.waitForEvent('console', (message) => message.text().includes("frame-ancestors 'none'"))
    await page.goto(origin)
    assert.match((await refusal).text(), /violates/)
  })
}
