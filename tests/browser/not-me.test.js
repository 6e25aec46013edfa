// "It wasn't me": the link in the mail for customers who did not request it.
import assert from 'node:assert/strict'
import { browserTest } from './browser.js'
import { HOSTED, choosePassword, heading } from './pages.js'
import { NEW_PASSWORD, PASSWORD, canLogIn, linkOf, mailTo, newCustomer, notMeLinkOf, resetLink } from './service.js'

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? 'with JavaScript' : 'without JavaScript'
  browserTest(`it wasn't me, ${how}: looking changes nothing, the button ends the link`, { javaScriptEnabled }, async ({ context, page }) => {
    const email = await newCustomer()
    const link = await resetLink(email)
    const notMe = notMeLinkOf(await mailTo(email))
    for (let time = 0; time < 5; time += 1) {
      assert.equal((await context.request.head(notMe)).status(), 200)
      await page.goto(notMe)
      await heading(page, HOSTED.notMe)
    }
    await page.goto(link)
    await heading(page, HOSTED.form)
    await page.goto(notMe)
    await page.getByRole('button', { name: 'Disable the link' }).click()
    await heading(page, HOSTED.disavowed)
    await page.goto(link)
    await heading(page, HOSTED.dead)
    assert.ok(await canLogIn(email, PASSWORD))
  })
}

browserTest('it wasn\'t me, but the link was used: the page says so, and what to do', {}, async ({ page }) => {
  const email = await newCustomer()
  await page.goto(await resetLink(email))
  await choosePassword(page)
  await heading(page, HOSTED.done)
  await page.goto(notMeLinkOf(await mailTo(email)))
  await heading(page, HOSTED.misused)
  await page.getByRole('link', { name: 'Request a new password' }).click()
  await heading(page, HOSTED.forgot)
  assert.ok(await canLogIn(email, NEW_PASSWORD))
})

browserTest('it wasn\'t me: a link that is no link of ours', {}, async ({ page }) => {
  const answer = await page.goto('/not-me?id=nobodynobo&proof=none')
  assert.equal(answer.status(), 404)
  await heading(page, HOSTED.notFound)
})
