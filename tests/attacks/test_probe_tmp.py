import structlog
structlog.configure(processors=[(lambda l,m,e: (e.pop("exc_info",0),e)[1]), structlog.processors.KeyValueRenderer()])
def test_probe(siege):
    s=siege
    b=s.browser(s.residents[0].resident_id)
    for n in ["/%09/evil.example","/%0d%0aSet-Cookie:x=1","/\\evil.example","https://evil.example","/x%5c..%5c/evil","/%09%5cevil.example","/%2f%2fevil","/%E3%80%80", "/%00/evil", "/%C2%A0/evil","/ok?a=1&b=2#frag"]:
        print(n, "->", repr(b.get("/language/ja?next="+n).headers["location"]), repr(b.get("/people/sign-in?next="+n).headers["location"]))
    import re
    print(re.findall(r'name="next"[^>]*', s.stranger().get("/people/sign-in?next=/%09/evil.example").text), repr(re.findall(r'data-next[^>]*', s.stranger().get("/people/sign-in?next=/%09/evil.example").text)))
    for path in ["/nothing","/api/nothing","/api/people/me","/static/x", "/schema/x"]:
        r=s.stranger().get(path); print(path, r.status_code, sorted(r.headers))
    r = b.post("/people/me/language", data={"language":"xx"}); print(r.status_code, sorted(r.headers))
    r = b.post("/api/consent/agreements", content=b"x"*5_000_000); print(r.status_code, sorted(r.headers))
    import os
