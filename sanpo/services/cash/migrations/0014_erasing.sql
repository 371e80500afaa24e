-- What residents wrote to those whom they asked goes with an erasure, which is the duty of the jobs.
create policy erasing on cash.requests using ((select ground.actor_duty()) = 'jobs');
