// Protection against hostile pages, logs and the next user of the computer.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { browserTest } from './browser.js'
import { HOSTED, choosePassword, heading } from './pages.js'
import { NEW_PASSWORD, PASSWORD, canLogIn, mailTo, mailsTo, newCustomer, notMeLinkOf, resetLink, url } from './service.js'

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
  const [reset] = cookie.value.split('.')
  await choosePassword(page)
  await heading(page, HOSTED.done)
  const left = await context.cookies()
  assert.deepEqual(left.map(({ name, path }) => [name, path]), [[cookie.name, cookie.path]])
  assert.match(left[0].value, new RegExp(`^over\\.${reset}\\.[A-Za-z0-9]{10}$`), 'the token has gone')
})

// A page that posts a form to ours or frames it, by the parameters of its URL.
const hostile = createServer(({ url: asked }, answer) => {
  const { action, name, value } = Object.fromEntries(new URL(asked, url).searchParams)
  const to = `${url}${action}`.replaceAll('&', '&amp;')
  answer.setHeader('content-type', 'text/html')
  answer.end(`<!doctype html><title>hostile</title>
    <form method="post" action="${to}"><input name="${name}" value="${value}"></form><iframe src="${to}"></iframe>`)
})
const port = await new Promise((resolve) => hostile.listen(0, '127.0.0.1', () => resolve(hostile.address().port)))
hostile.unref()

// Another site, and another origin of the same site, for which a browser sends cookies.
for (const origin of [`http://localhost:${port}`, `http://127.0.0.1:${port}`]) {
  const { hostname } = new URL(origin)
  const isHostile = { elsewhere: [origin] }

  browserTest(`page-leak: ${hostname}, another origin, can't set the password`, isHostile, async ({ page }) => {
    const email = await newCustomer()
    const link = await resetLink(email)
    await page.goto(link)
    await heading(page, HOSTED.form)
    const status = await postFrom(page, origin, { action: '/reset-password', name: 'password', value: NEW_PASSWORD })
    // The cookie is not sent with another site's form, so the page has no link.
    assert.equal(status, hostname === 'localhost' ? 400 : 403)
    assert.ok(await canLogIn(email, PASSWORD))
    await page.goto(link)
    await choosePassword(page)
    await heading(page, HOSTED.done)
  })

  browserTest(`page-leak: ${hostname}, another origin, can't ask for a mail`, isHostile, async ({ page }) => {
    const [email, other] = [await newCustomer(), await newCustomer()]
    assert.equal(await postFrom(page, origin, { action: '/forgot-password', name: 'email', value: email }), 403)
    await heading(page, HOSTED.foreign)
    await resetLink(other)
    assert.deepEqual(await mailsTo(email), [])
  })

  browserTest(`page-leak: ${hostname}, another origin, can't disavow a reset`, isHostile, async ({ page }) => {
    const email = await newCustomer()
    const link = await resetLink(email)
    const { pathname, search } = new URL(notMeLinkOf(await mailTo(email)))
    assert.equal(await postFrom(page, origin, { action: pathname + search, name: 'x', value: '' }), 403)
    await page.goto(link)
    await heading(page, HOSTED.form)
  })

  for (const action of ['/reset-password', '/forgot-password', '/not-me', '/restore-email', '/', '/new-password']) {
    browserTest(`page-leak: ${hostname}, another origin, can't frame ${action}`, isHostile, async ({ page }) => {
      const refusal = page.waitForEvent('console', (message) => message.text().includes("frame-ancestors 'none'"))
      await page.goto(`${origin}/?action=${action}&name=x&value=x`)
      assert.match((await refusal).text(), /violates/)
    })
  }
}

/** Returns the response to a form from there. */
async function postFrom(page, origin, form) {
  await page.goto(`${origin}/?${new URLSearchParams(form)}`)
  const [answer] = await Promise.all([page.waitForNavigation(), page.evaluate(() => document.forms[0].submit())])
  assert.equal(answer.request().method(), 'POST')
  return answer.status()
}
