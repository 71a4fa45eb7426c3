import time, cProfile, pstats
from datetime import timedelta
from uuid import uuid4
from recommendations.actions.listening import Heard, record_listens
from tests.conftest import choose, NOW, person_of
def test_m(alice, catalog, signed_in):
    choose(alice, "community"); c = signed_in(alice); who = person_of(alice)
    for b in range(10):
        record_listens(who, [Heard(uuid4(), catalog[(n*7+b) % len(catalog)], NOW - timedelta(minutes=37*(n+1000*b)), 600, 600) for n in range(1000)])
    def t(path):
        best = 9
        for _ in range(4):
            a = time.perf_counter(); r = c.get(path); best = min(best, time.perf_counter()-a); assert r.status_code == 200
        return round(best*1000), len(r.content)
    print("M", t("/history/"), t("/api/v1/history/"), t("/"))
    with cProfile.Profile() as p: c.get("/api/v1/history/")
    pstats.Stats(p).sort_stats("cumtime").print_stats(14)
