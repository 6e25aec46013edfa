// Every page fits a phone, has large enough targets, and has a dark mode.
import assert from 'node:assert/strict'
import { browserTest } from './browser.js'
import { openChoices } from './pages.js'
import { hosted, storefront } from './sights.js'

// A small old phone, which is also 1280 px at 400 % (WCAG 1.4.10), and a current one.
const WIDTHS = [320, 390]
const [viewport] = WIDTHS.map((width) => ({ width, height: 700 }))

for (const { name, open } of [...storefront, ...hosted]) {
  const isHosted = hosted.some((sight) => sight.name === name)
  browserTest(`on a phone and in the dark: ${name}`, { viewport, hasTouch: true }, async ({ context, page }) => {
    await open(page)
    await openChoices(page)
    for (const width of WIDTHS) {
      await page.setViewportSize({ ...viewport, width })
      await assertFits(page)
      assert.deepEqual(await smallTargets(page), [], `${width} px wide`)
    }
    // Text at twice the size (WCAG 1.4.4).
    await page.evaluate(() => { document.documentElement.style.fontSize = '200%' })
    if (isHosted) await assertFits(page)
    await page.evaluate(() => { document.documentElement.style.fontSize = '' })
    await page.emulateMedia({ colorScheme: 'dark' })
    // Mails have their own colours.
    const picture = await page.screenshot({ mask: [page.locator('iframe')], maskColor: '#000000' })
    const luminance = await luminanceOf(await context.newPage(), picture)
    assert.ok(luminance < 0.3, `the page's mean luminance is ${luminance}`)
  })
}

/** Checks that nothing is wider than the window. */
async function assertFits(page) {
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth])
  assert.ok(content <= window, `${content} px in ${window}`)
}

/** Returns the targets smaller than 24 by 24 px (WCAG 2.5.8), except links inside sentences. */
function smallTargets(page) {
  return page.evaluate(() => {
    const targets = [...document.querySelectorAll('a, button, input, summary, select, textarea')]
    const inText = (target) => getComputedStyle(target).display === 'inline' && /\S/.test(target.parentElement.textContent.replace(target.textContent, ''))
    const seen = targets.filter((target) => target.checkVisibility() && target.tabIndex >= 0 && !inText(target))
    const small = seen.filter((target) => {
      const { width, height } = target.getBoundingClientRect()
      return width < 24 || height < 24
    })
    return small.map((target) => target.outerHTML)
  })
}

/** Returns the mean of a screenshot's pixels, from 0 (black) to 1 (white), calculated in another page. */
async function luminanceOf(blank, png) {
  return blank.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
    const picture = await createImageBitmap(new Blob([bytes]))
    const canvas = new OffscreenCanvas(picture.width, picture.height).getContext('2d')
    canvas.drawImage(picture, 0, 0)
    const { data } = canvas.getImageData(0, 0, picture.width, picture.height)
    let sum = 0
    for (let at = 0; at < data.length; at += 4) sum += 0.2126 * data[at] + 0.7152 * data[at + 1] + 0.0722 * data[at + 2]
    return sum / (data.length / 4) / 255
  }, png.toString('base64'))
}
