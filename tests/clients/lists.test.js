// How the SDK walks a list: sorting, pages, what a page knows of the whole, and what is refused.
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { column, newCustomer, sdks, tokenOf } from './clients.js'
import { parameter, refused } from './refusals.js'
import { newName, tick } from './service.js'

const COUNT = 12

for (const { name, connect } of sdks) {
  describe(`${name}, lists`, () => {
    const reference_origin = newName()
    const filters = { reference_origin_eq: reference_origin }
    let backOffice, resets, customer
    const made = []

    before(async () => {
      backOffice = connect(await tokenOf('integration'))
      resets = backOffice.customer_password_resets
      customer = await newCustomer(backOffice)
      for (let number = 0; number < COUNT; number += 1) {
        // Each reference twice.
        const reference = `R-${(number * 5) % (COUNT / 2)}`
        made.push(await resets.create({ customer_email: customer.email, reference, reference_origin }))
        await tick()
      }
    })

    test('newest first, ten on a page, with tokens', async () => {
      const page = await resets.list({ filters })
      const expected = made.slice(2).reverse()
      assert.deepEqual(column(page, 'id'), column(expected, 'id'))
      assert.deepEqual(Array.from(page), expected)
    })

    test('meta and helpers of each page', async () => {
      const seen = []
      for (const [number, length] of [[1, 5], [2, 5], [3, 2]]) {
        const page = await resets.list({ filters, pageNumber: number, pageSize: 5, sort: { created_at: 'asc' } })
        assert.equal(page.length, length)
        assert.deepEqual(page.meta, { pageCount: 3, recordCount: COUNT, currentPage: number, recordsPerPage: 5 })
        assert.deepEqual([page.recordCount, page.pageCount], [COUNT, 3])
        assert.deepEqual([page.getRecordCount(), page.getPageCount()], [COUNT, 3])
        assert.deepEqual([page.hasPrevPage(), page.hasNextPage()], [number > 1, number < 3])
        assert.deepEqual([page.first().id, page.get(1).id, page.last().id], [page[0].id, page[1].id, page[length - 1].id])
        seen.push(...column(page, 'id'))
      }
      assert.deepEqual(seen, column(made, 'id'))
    })

    test('a page past the end is empty and has the totals', async () => {
      const page = await resets.list({ filters, pageNumber: 9 })
      assert.deepEqual([page.length, page.first(), page.last()], [0, undefined, undefined])
      assert.deepEqual([page.recordCount, page.pageCount, page.hasNextPage()], [COUNT, 2, false])
    })

    test('an empty list', async () => {
      const page = await resets.list({ filters: { reference_origin_eq: newName() } })
      assert.deepEqual([page.length, page.recordCount, page.hasNextPage(), page.hasPrevPage()], [0, 0, false, false])
      assert.equal(await resets.count({ reference_origin_eq: newName() }), 0)
    })

    test('the links of a page keep its query and lead to the others', async () => {
      const reader = backOffice.addRawResponseReader()
      await resets.list({ filters, pageNumber: 2, pageSize: 5, sort: ['created_at'] })
      backOffice.removeRawResponseReader()
      const { links, meta } = reader.rawResponse
      assert.deepEqual(meta, { record_count: COUNT, page_count: 3 })
      for (const [name, number] of Object.entries({ first: '1', prev: '1', next: '3', last: '3' })) {
        const query = new URL(links[name]).searchParams
        assert.deepEqual([query.get('page[number]'), query.get('page[size]')], [number, '5'], name)
        assert.deepEqual([query.get('filter[q][reference_origin_eq]'), query.get('sort')], [reference_origin, 'created_at'])
      }
    })

    test('count: of everything, and by filters in both forms', async () => {
      assert.ok((await resets.count()) >= COUNT)
      assert.equal(await resets.count(filters), COUNT)
      assert.equal(await resets.count({ filters, pageSize: 1, sort: ['id'] }), COUNT)
      assert.equal(await resets.count({ ...filters, reference_eq: 'R-0' }), 2)
    })

    test('sort: as an array, several, descending', async () => {
      const page = await resets.list({ filters, sort: ['-reference', 'created_at'], pageSize: 25 })
      const by = (a, b) => b.reference.localeCompare(a.reference) || a.created_at.localeCompare(b.created_at)
      assert.deepEqual(column(page, 'id'), column([...made].sort(by), 'id'))
    })

    test('sort: as an object', async () => {
      const page = await resets.list({ filters, sort: { reference: 'asc', created_at: 'desc' }, pageSize: 25 })
      const by = (a, b) => a.reference.localeCompare(b.reference) || b.created_at.localeCompare(a.created_at)
      assert.deepEqual(column(page, 'id'), column([...made].sort(by), 'id'))
    })

    test('sort: by each attribute that the SDK lets be sorted by', async () => {
      for (const field of ['id', 'created_at', 'updated_at', 'reference', 'reference_origin']) {
        const up = column(await resets.list({ filters, sort: [field], pageSize: 25 }), field)
        const down = column(await resets.list({ filters, sort: [`-${field}`], pageSize: 25 }), field)
        const sorted = [...up].sort()
        assert.deepEqual(up, sorted, field)
        assert.deepEqual(down, sorted.reverse(), `-${field}`)
      }
    })

    test('include and sparse fields on a list', async () => {
      const page = await resets.list({
        filters, pageSize: 3,
        include: ['customer', 'events'],
        fields: { customer_password_resets: ['reference'], customers: ['email'], events: ['name'] },
      })
      for (const reset of page) {
        const { id, events, ...rest } = reset
        assert.deepEqual(rest, {
          type: 'customer_password_resets',
          reference: made.find((one) => one.id === id).reference,
          customer: { id: customer.id, type: 'customers', email: customer.email },
        })
        assert.deepEqual(column(events, 'name'), ['customer_password_resets.create'])
      }
    })

    test('a related list has filters, sorting and pages of its own', async () => {
      const { id } = made[0]
      await resets.update({ id, metadata: { seen: true } })
      const page = await resets.event_stores(id, { filters: { event_eq: 'update' }, sort: ['-created_at'], pageSize: 1 })
      assert.deepEqual([page.length, page.recordCount, page.pageCount], [1, 1, 1])
      assert.deepEqual(page[0].payload, { attributes: ['metadata'] })
    })

    test('page[after] walks a list and a related one by its links, which the SDK does not have', async () => {
      const walk = async (list) => {
        const seen = []
        for (let after = ''; after !== undefined;) {
          const reader = backOffice.addRawResponseReader()
          const page = await list({ params: { 'page[after]': after, 'page[size]': '5' } })
          backOffice.removeRawResponseReader()
          seen.push(column(page, 'id'))
          const { next } = reader.rawResponse.links
          after = next && new URL(next).searchParams.get('page[after]')
        }
        return seen
      }
      const pages = await walk((options) => resets.list({ filters, sort: ['created_at'] }, options))
      assert.deepEqual(pages.map((page) => page.length), [5, 5, 2])
      assert.deepEqual(pages.flat(), column(made, 'id'))
      const entries = await walk((options) => resets.event_stores(made[1].id, { sort: ['created_at'] }, options))
      assert.deepEqual(entries.map((page) => page.length), [1])
    })

    test('what cannot be sorted by, shown, included or paged is refused by the parameter\'s name', async () => {
      const list = (params, options) => resets.list(params, options)
      for (const field of ['customer_email', 'reset_password_at', 'metadata', 'nobody']) {
        await refused(list({ sort: [field] }), 400, parameter('INVALID_SORT_CRITERIA', 'sort'))
      }
      const field = parameter('INVALID_FIELD', 'fields[customer_password_resets]')
      await refused(list({ fields: ['nobody'] }), 400, field)
      await refused(list({ include: ['orders'] }), 400, parameter('INVALID_INCLUDE', 'include'))
      await refused(list({ include: ['customer.orders'] }), 400, parameter('INVALID_INCLUDE', 'include'))
      for (const pageSize of [26, -1]) {
        await refused(list({ pageSize }), 400, parameter('INVALID_PAGE_VALUE', 'page[size]'))
      }
      await refused(list({ pageNumber: -1 }), 400, parameter('INVALID_PAGE_VALUE', 'page[number]'))
      await refused(resets.retrieve(made[0].id, { include: ['orders'] }), 400, parameter('INVALID_INCLUDE', 'include'))
      await refused(resets.retrieve(made[0].id, { fields: ['nobody'] }), 400, field)
    })
  })
}
