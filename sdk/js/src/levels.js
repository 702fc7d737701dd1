/** The levels of a book. */

const LEVELS_MAX = 50;
const LEVEL_BYTES = 16;

/** The fields `bids` and `asks` of levels that start at `offset`, with their numbers at the two offsets. */
export function levels(offset, bidCount, askCount) {
  const bidsAt = (at) => at + offset;
  const asksAt = (view, at) => bidsAt(at) + view.getUint16(at + bidCount, true) * LEVEL_BYTES;
  const bytes = (side) => side.length * LEVEL_BYTES;
  return {
    bids: {
      read: (view, at) => read(view, bidsAt(at), view.getUint16(at + bidCount, true)),
      write: (view, at, side) => {
        view.setUint16(at + bidCount, side.length, true);
        write(view, bidsAt(at), side);
      },
      check: (view, at, length) => {
        const [bids, asks] = [view.getUint16(at + bidCount, true), view.getUint16(at + askCount, true)];
        return bids <= LEVELS_MAX && asks <= LEVELS_MAX && offset + (bids + asks) * LEVEL_BYTES <= length;
      },
      bytes,
    },
    asks: {
      read: (view, at) => read(view, asksAt(view, at), view.getUint16(at + askCount, true)),
      write: (view, at, side) => {
        view.setUint16(at + askCount, side.length, true);
        write(view, asksAt(view, at), side);
      },
      bytes,
    },
  };
}

function read(view, from, length) {
  return Array.from({ length }, (_, n) => ({
    price: view.getBigInt64(from + n * LEVEL_BYTES, true),
    quantity: view.getBigInt64(from + n * LEVEL_BYTES + 8, true),
  }));
}

function write(view, from, side) {
  side.forEach(({ price, quantity }, n) => {
    view.setBigInt64(from + n * LEVEL_BYTES, price, true);
    view.setBigInt64(from + n * LEVEL_BYTES + 8, quantity, true);
  });
}
