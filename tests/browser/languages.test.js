// The hosted pages in the reader's language, also right to left.
import assert from 'node:assert/strict'
import { browserTest } from './browser.js'
import { HOSTED, choosePassword, heading } from './pages.js'
import { mailTo, newCustomer, notMeLinkOf, resetLink } from './service.js'
import { hosted } from './sights.js'

for (const { name, open } of hosted) {
  browserTest(`right to left: ${name}`, { locale: 'ar', viewport: { width: 320, height: 700 } }, async ({ page }) => {
    await open(page)
    const { lang, dir, title } = await page.evaluate(() => ({ lang: document.documentElement.lang, dir: getComputedStyle(document.body).direction, title: document.querySelector('h1').textContent }))
    assert.deepEqual([lang, dir], ['ar', 'rtl'])
    assert.match(title, /\p{Script=Arabic}/u)
    // There, content that is too wide overflows on the left.
    for (const width of [320, 1280]) {
      await page.setViewportSize({ width, height: 700 })
      const out = await page.evaluate(() => [...document.body.querySelectorAll(':not(.unseen)')].filter((element) => {
        const { left, right } = element.getBoundingClientRect()
        return element.checkVisibility() && !element.closest('.unseen') && (left < 0 || right > innerWidth)
      }).map((element) => element.outerHTML))
      assert.deepEqual(out, [], `${width} px wide`)
    }
    // Addresses and passwords are left to right.
    for (const field of await page.locator('input:visible:not([tabindex="-1"])').all()) assert.equal(await field.getAttribute('dir'), 'ltr')
  })
}

for (const [locale, language] of [['de-AT', 'de'], ['pt-BR', 'pt-BR'], ['ja', 'ja'], ['tlh', 'en']]) {
  browserTest(`a browser that asks for ${locale} gets ${language}`, { locale }, async ({ page }) => {
    const answer = await page.goto('/forgot-password')
    assert.equal(await page.locator('html').getAttribute('lang'), language)
    assert.equal((await answer.allHeaders())['content-language'], language)
  })
}

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? 'with JavaScript' : 'without JavaScript'
  browserTest(`another language is chosen at the foot of a page by keyboard, ${how}, and holds`, { locale: 'ja', javaScriptEnabled }, async ({ page }) => {
    const email = await newCustomer()
    await page.goto(await resetLink(email, 'ja'))
    await choose(page, 'Deutsch')
    await heading(page, 'Neues Passwort festlegen')
    await page.locator('input[type=password]').fill(email)
    await page.keyboard.press('Enter')
    await page.getByText('Das Passwort ist Ihre E-Mail-Adresse').waitFor()
    await choose(page, 'English')
    await choosePassword(page)
    await heading(page, HOSTED.done)
    await page.goto(notMeLinkOf(await mailTo(email)))
    await choose(page, 'Polski')
    await heading(page, 'Link został już użyty')
  })
}

/** Opens the choice and selects a language by keyboard. */
async function choose(page, language) {
  await page.locator('summary').focus()
  await page.keyboard.press('Enter')
  const link = page.getByRole('link', { name: language, exact: true })
  await link.focus()
  await page.keyboard.press('Enter')
  await page.locator('summary').filter({ hasText: language }).waitFor()
}
