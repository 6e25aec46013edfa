// "It wasn't me": the link in the mail to an address that an account was moved from.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { browserTest } from './browser.js'
import { HOSTED, choosePassword, heading } from './pages.js'
import { NEW_PASSWORD, PASSWORD, canLogIn, linkOf, mailTo, moveCustomer, newCustomer, restoreLinkOf } from './service.js'

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? 'with JavaScript' : 'without JavaScript'
  browserTest(`a moved account, ${how}: looking changes nothing, the button gives it back`, { javaScriptEnabled }, async ({ context, page }) => {
    const email = await newCustomer()
    const thief = `thief-${randomUUID()}@example.com`
    await moveCustomer(email, thief)
    const restore = restoreLinkOf(await mailTo(email))
    for (let time = 0; time < 5; time += 1) {
      assert.equal((await context.request.head(restore)).status(), 200)
      await page.goto(restore)
      await heading(page, HOSTED.restore)
      assert.equal(new URL(page.url()).pathname, '/restore-email')
    }
    // page-leak: the token has left the address bar, the history and the links of the page.
    const token = new URL(restore).searchParams.get('token')
    const { entries } = await (await context.newCDPSession(page)).send('Page.getNavigationHistory')
    for (const text of [page.url(), await page.content(), ...entries.map((entry) => entry.url)]) assert.ok(!text.includes(token), text)
    assert.ok(await canLogIn(thief, PASSWORD))
    await page.getByRole('button', { name: 'Undo the change' }).click()
    await heading(page, HOSTED.restored)
    assert.equal(await canLogIn(thief, PASSWORD), false)
    assert.equal(await canLogIn(email, PASSWORD), false)
    // The second mail to the restored address has a link that sets a password.
    await page.goto(linkOf(await mailTo(email, 2)))
    await choosePassword(page)
    await heading(page, HOSTED.done)
    assert.ok(await canLogIn(email, NEW_PASSWORD))
  })
}
