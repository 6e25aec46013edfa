// axe on every page: WCAG 2.0 to 2.2, A and AA, and its best practices; in light and dark, left to right and right to left.
import assert from 'node:assert/strict'
import { violations } from './axe.js'
import { browserTest } from './browser.js'
import { openChoices } from './pages.js'
import { hosted, others, storefront } from './sights.js'

const SIGHTS = [
  ...[...storefront, ...hosted, ...others].map((sight) => ({ ...sight, locale: 'en' })),
  ...hosted.map((sight) => ({ ...sight, locale: 'ar' })),
]

for (const { name, open, locale } of SIGHTS) {
  browserTest(`axe finds nothing: ${name} (${locale})`, { locale }, async ({ page }) => {
    await open(page)
    await openChoices(page)
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme })
      assert.deepEqual(await violations(page), [], colorScheme)
    }
  })
}
