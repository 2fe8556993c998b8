"""Gives units of tests to pytest-xdist's workers; units.py says which. Its methods are xdist's protocol Scheduling."""

from tests.support.parallel import units

# A worker begins a test only when it knows the next one, or that there is none.
_LOW_WATER = 2


class _Worker:
    """What one worker has: its collection, the tests it still owes, and whose board."""

    def __init__(self):
        self.collection = None
        self.owed = []  # ids, in the order in which they run
        self.target = ""


class UnitScheduling:
    """Hands out units; a test whose worker dies is told to xdist, which names it, and is not tried again.

    Args:
        worker_count: how many workers there will be.
        targets: names of the targets that the run asks for.
        record: seconds by Unit.key.
    """

    def __init__(self, worker_count, targets, record):
        self._worker_count = worker_count
        self._targets = targets
        self._record = record
        self._workers = {}
        self._waiting = None  # Unit -> ids that no worker has; None before the collections are there

    @property
    def nodes(self):
        return list(self._workers)

    @property
    def collection_is_completed(self):
        ready = sum(worker.collection is not None for worker in self._workers.values())
        return self._waiting is not None or ready >= self._worker_count

    @property
    def tests_finished(self):
        # With one test left each, workers wait to hear that nothing follows.
        return (
            self._waiting is not None
            and not self._waiting
            and all(len(worker.owed) < _LOW_WATER for worker in self._workers.values())
        )

    @property
    def has_pending(self):
        return bool(self._waiting) or any(worker.owed for worker in self._workers.values())

    def add_node(self, node):
        self._workers[node] = _Worker()

    def add_node_collection(self, node, collection):
        self._workers[node].collection = list(collection)

    def mark_test_complete(self, node, item_index, duration=0):
        worker = self._workers[node]
        worker.owed.remove(worker.collection[item_index])
        self._feed(node)

    def mark_test_pending(self, item):
        raise NotImplementedError

    def remove_pending_tests_from_node(self, node, indices):
        raise NotImplementedError

    def remove_node(self, node):
        """Forget a worker; what it owed waits again, but for the test that it died of, whose id is returned."""
        worker = self._workers.pop(node)
        if not worker.owed:
            return None
        died_of, *rest = worker.owed
        for test_id in rest:
            self._waiting.setdefault(self._unit_of(test_id), []).append(test_id)
        for other in self._workers:
            self._feed(other)
        return died_of

    def schedule(self):
        """Begin, once every worker has collected; with a worker more, give it work."""
        if self._waiting is None:
            collections = [worker.collection for worker in self._workers.values()]
            if any(collection != collections[0] for collection in collections):
                raise RuntimeError("the workers collected different tests: ids must not depend on chance or on time")
            self._waiting = {}
            for test_id in collections[0]:
                self._waiting.setdefault(self._unit_of(test_id), []).append(test_id)
        for node in self.nodes:
            self._feed(node)

    def _unit_of(self, test_id):
        return units.unit_of(test_id, self._targets)

    def _feed(self, node):
        worker = self._workers[node]
        if node.shutting_down or worker.collection is None:
            return
        while len(worker.owed) <= _LOW_WATER:
            unit = self._next_unit(node)
            if unit is None:
                node.shutdown()  # after what it owes
                return
            tests = self._waiting.pop(unit)
            worker.target = unit.target or worker.target
            worker.owed += tests
            at = {test_id: index for index, test_id in enumerate(worker.collection)}
            node.send_runtest_some([at[test_id] for test_id in tests])

    def _next_unit(self, node):
        if not self._waiting:
            return None
        seconds = {unit: units.seconds_of(unit, len(ids), self._record) for unit, ids in self._waiting.items()}
        others = {worker.target for other, worker in self._workers.items() if other is not node}
        return units.choose(seconds, self._workers[node].target, others)
