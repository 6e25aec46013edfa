// axe on every page: WCAG 2.0 to 2.2, A and AA, and its best practices; in light and dark, left to right and right to left.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { browserTest } from './browser.js'
import { openChoices } from './pages.js'
import { hosted, others, storefront } from './sights.js'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa', 'best-practice']

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

async function violations(page) {
  // Through the debugger's protocol, since the pages' policy blocks injected scripts.
  await page.evaluate(AXE)
  const found = await page.evaluate((values) => axe.run({ runOnly: { type: 'tag', values } }), RULES)
  assert.ok(found.passes.length > 10, 'axe has looked')
  return found.violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.map((node) => `${node.html}\n${node.failureSummary}`) }))
}
